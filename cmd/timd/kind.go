package main

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"go.yaml.in/yaml/v3"
)

// A kind is what a value may be, in words for whoever wrote another one.
type kind string

const (
	aBool     kind = "true or false"
	aWhole    kind = "a whole number"
	aNumber   kind = "a number"
	aDuration kind = "a time with its unit, such as 30s, 1m30s or 500ms"
	aList     kind = "a list, such as [a, b]"
	aText     kind = "a single value"
)

// kind tells the kind of a setting by its default. Times are those that are written like one.
func (s setting) kind() kind {
	switch v := s.fallback.(type) {
	case bool:
		return aBool
	case int:
		return aWhole
	case float64:
		return aNumber
	case []string:
		return aList
	case string:
		if _, err := time.ParseDuration(v); err == nil {
			return aDuration
		}
	}
	return aText
}

// appKinds are the kinds of the keys of an app that are not words.
var appKinds = map[string]kind{"id": aWhole, "admins": aList, "admin_allow": aList, "webhook_timeout": aDuration}

// check says what is wrong with the value of a key in the file.
func (k kind) check(value *yaml.Node) error {
	if value.Kind == yaml.AliasNode {
		value = value.Alias
	}
	if k == aList {
		return k.checkList(value)
	}
	if value.Kind != yaml.ScalarNode {
		return fmt.Errorf("this is not %s", k)
	}
	if !k.accepts(value.Value, value.Tag) {
		return errors.New(k.complaint(value.Value))
	}
	return nil
}

func (k kind) checkList(value *yaml.Node) error {
	if value.Kind != yaml.SequenceNode {
		return fmt.Errorf("this is not %s", k)
	}
	for _, item := range value.Content {
		if item.Kind != yaml.ScalarNode {
			return fmt.Errorf("line %d is not %s", item.Line, aText)
		}
	}
	return nil
}

func (k kind) accepts(text, tag string) bool {
	switch k {
	case aBool:
		return tag == "!!bool"
	case aWhole:
		return tag == "!!int"
	case aNumber:
		return tag == "!!int" || tag == "!!float"
	}
	return tag != "!!null" && k.reads(text)
}

// reads reports whether the text of an environment variable is of the kind.
func (k kind) reads(text string) bool {
	var err error
	switch k {
	case aBool:
		_, err = strconv.ParseBool(text)
	case aWhole:
		_, err = strconv.Atoi(text)
	case aNumber:
		_, err = strconv.ParseFloat(text, 64)
	case aDuration:
		_, err = time.ParseDuration(text)
	}
	return err == nil
}

// complaint says that a value from the environment is not of its kind.
func (k kind) complaint(text string) string {
	return fmt.Sprintf("%q is not %s", masked(text), k)
}
