package main

import (
	"fmt"
	"regexp"
	"strings"
)

var (
	codeName = regexp.MustCompile(`^[A-Z][A-Za-z0-9]+$`)
	itemName = regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)*$`)
	prose    = regexp.MustCompile("^[ -~]+$") // what needs no escape in any of the languages, with the words below
)

// validate returns what is wrong with the spec, one sentence each. The lock is checked apart from it.
func validate(s *Spec) (problems []string) {
	v := &validator{seen: map[string]string{}}
	for _, c := range s.Codes {
		v.code(c)
	}
	platforms := map[string]bool{}
	for _, k := range s.Kinds {
		if len(k.Items) == 0 {
			v.say("%s: the list is missing or empty", k.Key)
		}
		for _, it := range k.Items {
			v.item(k, it)
			if k.Key == "platform" {
				platforms[it.Name] = true
			}
		}
	}
	for _, k := range s.Kinds {
		for _, it := range k.Items {
			if k.Key == "policy" {
				v.groups(it, platforms)
			}
		}
	}
	return v.problems
}

type validator struct {
	problems []string
	seen     map[string]string // what was taken, by whom
}

func (v *validator) say(format string, args ...any) {
	v.problems = append(v.problems, fmt.Sprintf(format, args...))
}

// once complains when two rows claim the same thing.
func (v *validator) once(owner, what string, value any) {
	key := fmt.Sprintf("%s %v", what, value)
	if other, taken := v.seen[key]; taken {
		v.say("%s: %s belongs to %s already", owner, key, other)
	}
	v.seen[key] = owner
}

func (v *validator) code(c Code) {
	if !codeName.MatchString(c.Name) {
		v.say("code %d: the name %q is not in CamelCase", c.Number, c.Name)
		return
	}
	v.once(c.Name, "the name", c.Name)
	v.once(c.Name, "the number", c.Number)
	v.text(c.Name, c.Text)
	switch {
	case c.Close == 0:
	case c.Close < 3000 || c.Close > 3999:
		v.say("%s: close code %d is outside 3000 to 3999", c.Name, c.Close)
	case c.Retry && c.Close >= 3500:
		v.say("%s: close code %d says stop, but retry is true: a client comes back after 3000 to 3499", c.Name, c.Close)
	case !c.Retry && c.Close < 3500:
		v.say("%s: close code %d says come back, but retry is false: a client stops after 3500 to 3999", c.Name, c.Close)
	}
	if c.Close != 0 {
		v.once(c.Name, "the close code", c.Close)
	}
	if c.Facade != "" && c.Facade != "chat" {
		v.say("%s: there is no facade %q", c.Name, c.Facade)
	}
	if (c.Facade == "chat") != strings.HasPrefix(c.Name, "Chat") {
		v.say("%s: the codes of the Chat facade, and only they, start with Chat", c.Name)
	}
	if c.Facade == "" {
		v.once(c.Name, "the C name", cCode(c))
	}
}

func (v *validator) item(k Kind, it Item) {
	owner := k.Key + " " + it.Name
	if !itemName.MatchString(it.Name) {
		v.say("%s %d: the name %q is not in snake_case", k.Key, it.Number, it.Name)
		return
	}
	v.once(owner, "the name", k.Key+" "+it.Name)
	v.once(owner, "the number", fmt.Sprintf("%d of %s", it.Number, k.Key))
	v.once(owner, "the name", k.GoPrefix+camel(it.Name))
	if k.CPrefix != "" {
		v.once(owner, "the C name", k.CPrefix+strings.ToUpper(it.Name))
	}
	v.text(owner, it.Text)
	belongs := func(field string, present bool, keys ...string) {
		wanted := false
		for _, key := range keys {
			wanted = wanted || key == k.Key
		}
		if wanted && !present {
			v.say("%s: %s is missing", owner, field)
		}
		if !wanted && present {
			v.say("%s: %s means nothing here", owner, field)
		}
	}
	belongs("v2tim", it.V2TIM != nil, "login_status")
	belongs("chat", it.Chat != "", "connection_state", "kick_reason")
	belongs("rest", it.REST != "", "platform")
	belongs("webhook", it.Webhook != "", "platform")
	belongs("max_instances", it.MaxInstances > 0, "platform")
	belongs("groups", len(it.Groups) > 0, "policy")
	if k.Key == "platform" {
		v.once(owner, "the REST name", it.REST)
		v.once(owner, "the webhook name", it.Webhook)
	}
}

// groups checks that a policy puts every platform into exactly one group.
func (v *validator) groups(policy Item, platforms map[string]bool) {
	count := map[string]int{}
	for _, group := range policy.Groups {
		for _, name := range group {
			count[name]++
			if !platforms[name] {
				v.say("policy %s: there is no platform %q", policy.Name, name)
			}
		}
	}
	for name := range platforms {
		if count[name] != 1 {
			v.say("policy %s: %s must be in one group, and is in %d", policy.Name, name, count[name])
		}
	}
}

func (v *validator) text(owner, text string) {
	switch {
	case text == "":
		v.say("%s: the text is empty", owner)
	case !prose.MatchString(text) || strings.ContainsAny(text, "\\|") || strings.Contains(text, "*/"):
		v.say("%s: the text goes into comments and tables: printable ASCII only, without \\, | and */", owner)
	case strings.HasSuffix(text, "."):
		v.say("%s: the text has a full stop at its end", owner)
	}
}
