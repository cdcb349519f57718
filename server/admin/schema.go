package admin

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/opentim/tim/codes"
)

// object is a JSON object.
type object = map[string]any

// schemaOf returns the JSON Schema of a type: the one that its fields and their tags doc and api describe.
func schemaOf(t reflect.Type, strict bool) object {
	switch t.Kind() {
	case reflect.Pointer:
		return schemaOf(t.Elem(), strict)
	case reflect.Slice:
		return object{"type": "array", "items": schemaOf(t.Elem(), strict)}
	case reflect.Map:
		return object{"type": "object", "additionalProperties": schemaOf(t.Elem(), strict)}
	case reflect.String:
		return object{"type": "string"}
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.Struct:
		return structSchema(t, strict)
	}
	return object{"type": "integer"}
}

func structSchema(t reflect.Type, strict bool) object {
	properties := object{}
	required := []string{}
	for _, f := range reflect.VisibleFields(t) {
		if f.Anonymous {
			continue
		}
		name, option, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" {
			name = f.Name
		}
		property := schemaOf(f.Type, strict)
		property["description"] = f.Tag.Get("doc")
		constrain(property, f.Tag.Get("api"))
		properties[name] = property
		if option == "" {
			required = append(required, name)
		}
	}
	s := object{"type": "object", "properties": properties}
	if len(required) > 0 {
		s["required"] = required
	}
	if strict {
		s["additionalProperties"] = false
	}
	return s
}

// keywords are those of the tag api that have a number, and what JSON Schema calls them.
var keywords = map[string]string{
	"minlen": "minLength", "maxlen": "maxLength", "minitems": "minItems", "maxitems": "maxItems", "min": "minimum", "max": "maximum",
}

// constrain adds what a tag says.
func constrain(s object, tag string) {
	for word := range strings.SplitSeq(tag, ",") {
		word, value, _ := strings.Cut(word, "=")
		switch word {
		case "", "required": // required is for readers: a field without an option is
		case "enum":
			s["enum"] = strings.Split(value, "|")
		case "policy":
			s["enum"] = strings.Split(names(codes.Policies()), ", ")
		case "platform":
			s["enum"] = strings.Split(names(codes.Platforms()), ", ")
		case "platforms":
			s["properties"], s["additionalProperties"] = limitsSchema(), false
		case "date":
			s["format"] = "date"
		default:
			n, err := strconv.ParseInt(value, 10, 64)
			if err != nil || keywords[word] == "" {
				panic(fmt.Sprintf("admin: the tag %q means nothing", word))
			}
			s[keywords[word]] = n
		}
	}
}

// limitsSchema are the instance limits, by platform.
func limitsSchema() object {
	all := object{}
	for _, p := range codes.Platforms() {
		all[p.String()] = object{"type": "integer", "minimum": 1, "maximum": p.MaxInstances()}
	}
	return all
}
