package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const repository = "../.."

// repoSpec returns the spec of this repository, for a case to break.
func repoSpec(t *testing.T) *Spec {
	t.Helper()
	spec, err := readSpec(repository)
	require.NoError(t, err)
	return spec
}

func TestTheFilesOfThisRepositoryAreFresh(t *testing.T) {
	require.NoError(t, run(repository, true, false))
}

func TestABrokenSpecIsRefusedWithTheReason(t *testing.T) {
	code := func(s *Spec, name string) *Code {
		for i := range s.Codes {
			if s.Codes[i].Name == name {
				return &s.Codes[i]
			}
		}
		t.Fatalf("no code %s", name)
		return nil
	}
	item := func(s *Spec, key string, i int) *Item { return &s.Kind(key).Items[i] }

	for _, tt := range []struct {
		name  string
		wreck func(*Spec)
		want  string
	}{
		{"two codes with one name", func(s *Spec) { code(s, "TicketEmpty").Name = "TicketExpired" },
			"TicketExpired: the name TicketExpired belongs to TicketExpired already"},
		{"two codes with one number", func(s *Spec) { code(s, "TicketEmpty").Number = 70001 },
			"TicketEmpty: the number 70001 belongs to TicketExpired already"},
		{"two codes with one close code", func(s *Spec) { code(s, "TicketExpired").Close = 3510 },
			"TicketExpired: the close code 3510 belongs to KickedOffline already"},
		{"two codes that only C cannot tell apart", func(s *Spec) { code(s, "TicketEmpty").Name = "TICKETExpired" },
			"TICKETExpired: the C name TIM_TICKET_EXPIRED belongs to TicketExpired already"},
		{"a code that C cannot tell from a login status", func(s *Spec) { code(s, "TicketEmpty").Name = "LOGGEDOut" },
			"login_status logged_out: the C name TIM_LOGGED_OUT belongs to LOGGEDOut already"},
		{"a code with the name of an event constant", func(s *Spec) { code(s, "TicketEmpty").Name = "EventClosed" },
			"event closed: the name EventClosed belongs to EventClosed already"},
		{"a name in another style", func(s *Spec) { code(s, "TicketEmpty").Name = "ticket_empty" },
			`code 70002: the name "ticket_empty" is not in CamelCase`},
		{"no text", func(s *Spec) { code(s, "TicketEmpty").Text = "" },
			"TicketEmpty: the text is empty"},
		{"a text that would end a C comment", func(s *Spec) { code(s, "TicketEmpty").Text = "a */ b" },
			"TicketEmpty: the text goes into comments and tables: printable ASCII only, without \\, | and */"},
		{"a text with a full stop", func(s *Spec) { code(s, "TicketEmpty").Text = "empty." },
			"TicketEmpty: the text has a full stop at its end"},
		{"a close code outside its range", func(s *Spec) { code(s, "TicketExpired").Close = 4000 },
			"TicketExpired: close code 4000 is outside 3000 to 3999"},
		{"a close code that sends a refused client into a loop", func(s *Spec) { code(s, "TicketExpired").Close = 3099 },
			"TicketExpired: close code 3099 says come back, but retry is false: a client stops after 3500 to 3999"},
		{"a close code that stops a client that should come back", func(s *Spec) { code(s, "Overloaded").Close = 3599 },
			"Overloaded: close code 3599 says stop, but retry is true: a client comes back after 3000 to 3499"},
		{"a facade that does not exist", func(s *Spec) { code(s, "ChatNotReady").Facade = "v3" },
			`ChatNotReady: there is no facade "v3"`},
		{"a facade code with a common name", func(s *Spec) { code(s, "ChatNotReady").Name = "NotReady" },
			"NotReady: the codes of the Chat facade, and only they, start with Chat"},
		{"two events with one number", func(s *Spec) { item(s, "event", 1).Number = 1 },
			"event connected: the number 1 of event belongs to event connecting already"},
		{"an event in another style", func(s *Spec) { item(s, "event", 0).Name = "Connecting" },
			`event 1: the name "Connecting" is not in snake_case`},
		{"a list that is gone", func(s *Spec) { s.Kinds[0].Items = nil },
			"login_status: the list is missing or empty"},
		{"a platform that REST cannot name", func(s *Spec) { item(s, "platform", 0).REST = "" },
			"platform ios: rest is missing"},
		{"two platforms with one webhook name", func(s *Spec) { item(s, "platform", 1).Webhook = "iOS" },
			"platform ipad: the webhook name iOS belongs to platform ios already"},
		{"an event with an instance limit", func(s *Spec) { item(s, "event", 0).MaxInstances = 3 },
			"event connecting: max_instances means nothing here"},
		{"a policy that forgets a platform", func(s *Spec) { item(s, "policy", 1).Groups = item(s, "policy", 1).Groups[:1] },
			"policy dual: web must be in one group, and is in 0"},
		{"a policy with a platform in two groups", func(s *Spec) { item(s, "policy", 3).Groups[0] = []string{"android", "web"} },
			"policy multi: web must be in one group, and is in 2"},
		{"a policy with a platform nobody knows", func(s *Spec) { item(s, "policy", 3).Groups[0] = []string{"android", "watch"} },
			`policy multi: there is no platform "watch"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			spec := repoSpec(t)
			tt.wreck(spec)
			require.Contains(t, validate(spec), tt.want)
		})
	}

	t.Run("and the spec as it is has no problem", func(t *testing.T) {
		require.Empty(t, validate(repoSpec(t)))
	})
}

func TestAReleasedNumberStays(t *testing.T) {
	released := lock(promises(repoSpec(t)))

	spec := repoSpec(t)
	require.Empty(t, released.broken(spec))

	spec.Codes = append(spec.Codes, Code{Name: "New", Number: 79999, Text: "new"})
	require.Empty(t, released.broken(spec), "a new code breaks no promise")

	for i := range spec.Codes {
		switch spec.Codes[i].Name {
		case "TicketExpired":
			spec.Codes[i].Number = 70099
		case "TicketEmpty":
			spec.Codes[i].Name = "TicketMissing"
		case "Overloaded":
			spec.Codes[i].Close = 3099
		}
	}
	spec.Kind("kick_reason").Items[0].Number = 9
	require.ElementsMatch(t, []string{
		"code TicketExpired: was released as 70001 and is 70099 now (spec/codes.lock)",
		"code TicketEmpty: was released as 70002 and is gone (spec/codes.lock)",
		"close Overloaded: was released as 3003 and is 3099 now (spec/codes.lock)",
		"kick_reason multiple_account: was released as 1 and is 9 now (spec/codes.lock)",
	}, released.broken(spec))
}

// sandbox returns a folder with the sources of this repository and nothing generated.
func sandbox(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(root, "spec"), 0o755))
	for _, path := range []string{"VERSION", "spec/codes.json", "spec/events.json"} {
		data, err := os.ReadFile(filepath.Join(repository, path))
		require.NoError(t, err)
		put(t, root, path, string(data))
	}
	put(t, root, lockPath, "")
	return root
}

func put(t *testing.T, root, path, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(root, path), []byte(text), 0o644))
}

func TestCheckNamesTheStaleFileAndTheCommand(t *testing.T) {
	root := sandbox(t)
	require.ErrorContains(t, run(root, true, false), "gen: docs/codes.md is stale or edited by hand: run ./build.sh gen")

	require.NoError(t, run(root, false, false))
	require.NoError(t, run(root, true, false))

	put(t, root, "include/tim_codes.gen.h", "enum { TIM_KICKED_OFFLINE = 6028 };")
	require.EqualError(t, run(root, true, false),
		"gen: include/tim_codes.gen.h is stale or edited by hand: run ./build.sh gen")

	require.NoError(t, run(root, false, false))
	put(t, root, "VERSION", "0.2.0\n")
	require.ErrorContains(t, run(root, true, false), "gen: codes/version_gen.go is stale")
}

func TestPackagesAreStampedWithOurVersionAndKeepEverythingElse(t *testing.T) {
	root := sandbox(t)
	before := `{
  "name": "@opentim/node",
  "version": "0.0.9",
  "dependencies": {
    "@opentim/usersig": "0.0.9",
    "left-pad": "0.0.9"
  }
}
`
	require.NoError(t, os.MkdirAll(filepath.Join(root, "bindings/node"), 0o755))
	put(t, root, "VERSION", "1.2.3\n")
	put(t, root, "bindings/node/package.json", before)
	require.ErrorContains(t, run(root, true, false), "gen: bindings/node/package.json is stale")

	require.NoError(t, run(root, false, false))
	after, err := os.ReadFile(filepath.Join(root, "bindings/node/package.json"))
	require.NoError(t, err)
	require.Equal(t, strings.NewReplacer(`n": "0.0.9`, `n": "1.2.3`, `g": "0.0.9`, `g": "1.2.3`).Replace(before), string(after))
	require.NoError(t, run(root, true, false))
}

func TestReleaseWritesTheLockAndTheLockHolds(t *testing.T) {
	root := sandbox(t)
	require.NoError(t, run(root, false, true))
	l, err := readLock(root)
	require.NoError(t, err)
	require.Equal(t, 70001, l["code TicketExpired"])
	require.Equal(t, 3512, l["close TicketExpired"])
	require.Equal(t, 7, l["platform web"])

	put(t, root, "spec/codes.json", `[{"name": "OK", "number": 0, "text": "success"}]`)
	require.ErrorContains(t, run(root, true, false), "code TicketExpired: was released as 70001 and is gone")
	require.ErrorContains(t, run(root, false, true), "code TicketExpired: was released as 70001 and is gone",
		"a release cannot take a promise back")
}

func TestUnreadableSources(t *testing.T) {
	for _, tt := range []struct{ name, path, text, want string }{
		{"a misspelt field", "spec/codes.json", `[{"name": "OK", "retrry": true}]`, `spec/codes.json: json: unknown field "retrry"`},
		{"a list nobody asked for", "spec/events.json", `{"colour": []}`, `spec/events.json: "colour" is not a list that gen knows`},
		{"a version of two parts", "VERSION", "1.0", `VERSION: "1.0" is not major.minor.patch`},
		{"a version that TIM_VERSION_NUMBER cannot hold", "VERSION", "1.100.0", `VERSION: "100" in "1.100.0" is not a number from 0 to 99`},
		{"a lock that somebody merged badly", lockPath, "<<<<<<< HEAD\n", `spec/codes.lock:1: "<<<<<<< HEAD" is not kind, name and number`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			root := sandbox(t)
			put(t, root, tt.path, tt.text)
			require.ErrorContains(t, run(root, true, false), tt.want)
		})
	}
}

func TestNames(t *testing.T) {
	for name, want := range map[string]string{
		"OK":              "OK",
		"TicketExpired":   "TICKET_EXPIRED",
		"RESTTooOften":    "REST_TOO_OFTEN",
		"InvalidIDFormat": "INVALID_ID_FORMAT",
		"InvalidSDKAppID": "INVALID_SDKAPPID",
		"QueryBadJSON":    "QUERY_BAD_JSON",
		"InvalidUserID":   "INVALID_USER_ID",
	} {
		require.Equal(t, want, screaming(name))
	}
	for name, want := range map[string]string{
		"ios":                 "IOS",
		"ipad":                "IPad",
		"rest_api":            "RESTAPI",
		"user_sig_expired":    "UserSigExpired",
		"multiple_account":    "MultipleAccount",
		"user_sig_will_close": "UserSigWillClose",
	} {
		require.Equal(t, want, camel(name))
	}
}

func TestTheTableForPeopleHasEveryCodeOnce(t *testing.T) {
	spec := repoSpec(t)
	seen := map[string]int{}
	for _, section := range spec.Sections() {
		require.NotEmpty(t, section.Codes, section.Title)
		for _, c := range section.Codes {
			seen[c.Name]++
		}
	}
	for _, c := range spec.Codes {
		require.Equal(t, 1, seen[c.Name], c.Name)
	}
}
