package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	koanfyaml "github.com/knadh/koanf/parsers/yaml"
	"go.yaml.in/yaml/v3"
)

// A file is a parsed configuration file.
type file struct {
	path   string
	values map[string]any
	lines  map[string]int // where each key stands
}

// parseFile reads YAML and refuses keys that mean nothing, because a misspelt limit is no limit.
func parseFile(path string, data []byte) (*file, error) {
	f := &file{path: path, lines: map[string]int{}}
	var err error
	if f.values, err = koanfyaml.Parser().Unmarshal(data); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	var root yaml.Node
	if err := yaml.Unmarshal(data, &root); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(root.Content) == 0 {
		return f, nil // an empty file
	}
	return f, f.walk(root.Content[0], "")
}

// walk notes the lines of the keys below prefix and finds the unknown ones.
func (f *file) walk(node *yaml.Node, prefix string) error {
	if node.Kind != yaml.MappingNode {
		return fmt.Errorf("%s:%d: %s must hold key: value lines", f.path, node.Line, strings.TrimSuffix("the file."+prefix, "."))
	}
	var err error
	for i := 0; i+1 < len(node.Content); i += 2 {
		name, value := node.Content[i], node.Content[i+1]
		key := prefix + name.Value
		switch {
		case key == "apps":
			f.lines[key] = name.Line
			err = errors.Join(err, f.walkApps(value))
		case slices.Contains(settingKeys(), key):
			f.lines[key] = name.Line
		case prefix == "" && slices.ContainsFunc(settingKeys(), func(s string) bool { return strings.HasPrefix(s, key+".") }):
			err = errors.Join(err, f.walk(value, key+"."))
		default:
			err = errors.Join(err, fmt.Errorf("%s:%d: unknown key %q%s", f.path, name.Line, key, didYouMean(key, settingKeys())))
		}
	}
	return err
}

func (f *file) walkApps(list *yaml.Node) error {
	if list.Kind != yaml.SequenceNode {
		return fmt.Errorf("%s:%d: apps must be a list, each with %s", f.path, list.Line, strings.Join(appKeys, ", "))
	}
	var err error
	for i, app := range list.Content {
		if app.Kind != yaml.MappingNode {
			err = errors.Join(err, fmt.Errorf("%s:%d: an app has the keys %s", f.path, app.Line, strings.Join(appKeys, ", ")))
			continue
		}
		f.lines[fmt.Sprintf("apps[%d]", i)] = app.Line
		for j := 0; j+1 < len(app.Content); j += 2 {
			name := app.Content[j]
			if !slices.Contains(appKeys, name.Value) {
				err = errors.Join(err, fmt.Errorf("%s:%d: unknown key %q of an app%s", f.path, name.Line, name.Value, didYouMean(name.Value, appKeys)))
			}
			f.lines[fmt.Sprintf("apps[%d].%s", i, name.Value)] = name.Line
		}
	}
	return err
}

// didYouMean names the known word that is nearest to word.
func didYouMean(word string, known []string) string {
	best, distance := "", len(word)/2+2
	for _, k := range known {
		if d := editDistance(word, k); d < distance {
			best, distance = k, d
		}
	}
	if best == "" {
		return "; known are " + strings.Join(known, ", ")
	}
	return fmt.Sprintf("; did you mean %q?", best)
}

// editDistance counts the letters to insert, delete or change.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
