package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// A Spec is everything that is generated from, as the templates see it.
type Spec struct {
	Codes   []Code
	Kinds   []Kind
	Version Version
}

// A Code is one row of spec/codes.json.
type Code struct {
	Name   string `json:"name"`
	Number int    `json:"number"`
	Text   string `json:"text"`
	Retry  bool   `json:"retry"`  // a client may try again by itself
	Close  int    `json:"close"`  // WebSocket close code, 0 for none
	Facade string `json:"facade"` // "chat": only the Chat facade of JavaScript answers it
}

// A Kind is one list of spec/events.json with the names it has in the languages.
type Kind struct {
	Key      string // in events.json
	Type     string // in Go and TypeScript
	GoPrefix string
	CPrefix  string // empty: not part of tim.h
	Doc      string
	Items    []Item
}

// An Item is one row of a Kind. Most fields belong to one kind only; validate says which.
type Item struct {
	Name         string     `json:"name"`
	Number       int        `json:"number"`
	Text         string     `json:"text"`
	V2TIM        *int       `json:"v2tim"`         // login_status: the number of the V2TIM facade
	Chat         string     `json:"chat"`          // connection_state, kick_reason: the word of the Chat facade
	REST         string     `json:"rest"`          // platform: as query_online_status writes it
	Webhook      string     `json:"webhook"`       // platform: as State.StateChange writes it
	MaxInstances int        `json:"max_instances"` // platform: the highest instance limit an app may set
	Groups       [][]string `json:"groups"`        // policy: platforms that push each other out
}

// A Version is the content of VERSION, such as 0.1.0.
type Version struct{ Major, Minor, Patch int }

func (v Version) String() string { return fmt.Sprintf("%d.%d.%d", v.Major, v.Minor, v.Patch) }

// Number orders versions: 1.2.3 is 10203.
func (v Version) Number() int { return v.Major*10000 + v.Minor*100 + v.Patch }

// kinds are the lists events.json must have, in the order in which they are written.
var kinds = []Kind{
	{Key: "login_status", Type: "LoginStatus", CPrefix: "TIM_", Doc: "says whether a user is logged in"},
	{Key: "connection_state", Type: "ConnectionState", GoPrefix: "State", Doc: "is the state of the connection, apart from the login status"},
	{Key: "kick_reason", Type: "KickReason", GoPrefix: "Kick", CPrefix: "TIM_KICK_", Doc: "says why the server ended a session"},
	{Key: "platform", Type: "Platform", GoPrefix: "Platform", CPrefix: "TIM_PLATFORM_", Doc: "is the kind of device an instance runs on, as the login policies name them"},
	{Key: "event", Type: "EventKind", GoPrefix: "Event", CPrefix: "TIM_EVENT_", Doc: "tells events apart"},
	{Key: "log_level", Type: "LogLevel", GoPrefix: "Log", CPrefix: "TIM_LOG_", Doc: "is the importance of a log line; lines below the level that was asked for are not written"},
	{Key: "bye_action", Type: "ByeAction", GoPrefix: "Bye", Doc: "is what the server wants the client to do next"},
	{Key: "policy", Type: "Policy", GoPrefix: "Policy", Doc: "says which platforms may be online together"},
}

// Kind returns the list called key.
func (s *Spec) Kind(key string) Kind {
	for _, k := range s.Kinds {
		if k.Key == key {
			return k
		}
	}
	panic("gen: no list " + key)
}

func readSpec(root string) (*Spec, error) {
	spec := new(Spec)
	if err := readJSON(root, "spec/codes.json", &spec.Codes); err != nil {
		return nil, err
	}
	var lists map[string][]Item
	if err := readJSON(root, "spec/events.json", &lists); err != nil {
		return nil, err
	}
	for _, k := range kinds {
		k.Items = lists[k.Key]
		delete(lists, k.Key)
		spec.Kinds = append(spec.Kinds, k)
	}
	for key := range lists {
		return nil, fmt.Errorf("spec/events.json: %q is not a list that gen knows: add it to kinds in internal/gen/spec.go", key)
	}
	text, err := os.ReadFile(filepath.Join(root, "VERSION"))
	if err != nil {
		return nil, err
	}
	spec.Version, err = parseVersion(strings.TrimSpace(string(text)))
	return spec, err
}

// readJSON refuses fields that it does not know: a misspelt "retry" must not pass as false.
func readJSON(root, path string, into any) error {
	data, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		return err
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

func parseVersion(text string) (v Version, err error) {
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return v, fmt.Errorf("VERSION: %q is not major.minor.patch", text)
	}
	for i, into := range []*int{&v.Major, &v.Minor, &v.Patch} {
		if *into, err = strconv.Atoi(parts[i]); err != nil || *into < 0 || *into > 99 {
			return v, fmt.Errorf("VERSION: %q in %q is not a number from 0 to 99", parts[i], text)
		}
	}
	return v, nil
}
