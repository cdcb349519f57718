package main

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
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
	var root yaml.Node
	if err := yaml.Unmarshal(data, &root); err != nil {
		return nil, unreadable(path, err)
	}
	if len(root.Content) > 0 { // the file is not empty
		if err := f.walk(root.Content[0], ""); err != nil {
			return nil, err
		}
	}
	var err error
	if f.values, err = koanfyaml.Parser().Unmarshal(data); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return f, nil
}

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

// unreadable says where a file stops being YAML. The parser leaves the first line out.
func unreadable(path string, err error) error {
	at := yamlLine.FindStringSubmatch(err.Error())
	if at == nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	what := strings.TrimPrefix(err.Error(), at[0])
	if strings.Contains(what, "cannot start any token") {
		what += "; YAML is indented with spaces, not with tabs"
	}
	return fmt.Errorf("%s:%s: this is no YAML: %s", path, cmp.Or(at[1], "1"), what)
}

func (f *file) wrong(at *yaml.Node, format string, args ...any) error {
	return fmt.Errorf("%s:%d: %s", f.path, at.Line, fmt.Sprintf(format, args...))
}

// note remembers where a key stands, and complains if it is there twice.
func (f *file) note(key string, at *yaml.Node) error {
	if before, twice := f.lines[key]; twice {
		return f.wrong(at, "%s is there twice, first in line %d", key, before)
	}
	f.lines[key] = at.Line
	return nil
}

// walk notes the lines of the keys below prefix and finds what is wrong with them.
func (f *file) walk(node *yaml.Node, prefix string) error {
	if node.Kind != yaml.MappingNode {
		return f.wrong(node, "%s must hold key: value lines", cmp.Or(strings.TrimSuffix(prefix, "."), "the file"))
	}
	var err error
	for i := 0; i+1 < len(node.Content); i += 2 {
		name, value := node.Content[i], node.Content[i+1]
		key := prefix + name.Value
		known := slices.IndexFunc(settings, func(s setting) bool { return s.key == key })
		switch {
		case key == "apps":
			err = errors.Join(err, f.note(key, name), f.walkApps(value))
		case known >= 0:
			err = errors.Join(err, f.note(key, name))
			if e := settings[known].kind().check(value); e != nil {
				err = errors.Join(err, f.wrong(name, "%s: %v", key, e))
			}
		case prefix == "" && slices.ContainsFunc(settingKeys(), func(s string) bool { return strings.HasPrefix(s, key+".") }):
			err = errors.Join(err, f.note(key, name), f.walk(value, key+"."))
		default:
			err = errors.Join(err, f.wrong(name, "unknown key %q%s", key, didYouMean(key, settingKeys())))
		}
	}
	return err
}

func (f *file) walkApps(list *yaml.Node) error {
	if list.Kind != yaml.SequenceNode {
		return f.wrong(list, "apps must be a list, each with %s", strings.Join(appKeys, ", "))
	}
	var err error
	for i, app := range list.Content {
		if app.Kind != yaml.MappingNode {
			err = errors.Join(err, f.wrong(app, "an app has the keys %s", strings.Join(appKeys, ", ")))
			continue
		}
		row := fmt.Sprintf("apps[%d]", i)
		f.lines[row] = app.Line
		for j := 0; j+1 < len(app.Content); j += 2 {
			err = errors.Join(err, f.appKey(row, app.Content[j], app.Content[j+1]))
		}
	}
	return err
}

func (f *file) appKey(row string, name, value *yaml.Node) error {
	if !slices.Contains(appKeys, name.Value) {
		return f.wrong(name, "unknown key %q of an app%s", name.Value, didYouMean(name.Value, appKeys))
	}
	key := row + "." + name.Value
	err := f.note(key, name)
	if e := cmp.Or(appKinds[name.Value], aText).check(value); e != nil {
		err = errors.Join(err, f.wrong(name, "%s: %v", key, e))
	}
	return err
}

// didYouMean names the known word that is nearest to word.
func didYouMean(word string, known []string) string {
	if best := nearest(word, known); best != "" {
		return fmt.Sprintf("; did you mean %q?", best)
	}
	return "; known are " + strings.Join(known, ", ")
}

// nearest returns the known word that is nearest to word, or "" if none is near.
func nearest(word string, known []string) string {
	best, distance := "", len(word)/2+2
	for _, k := range known {
		if strings.HasPrefix(k, word+"_") { // key for key_file
			return k
		}
		if d := editDistance(word, k); d < distance {
			best, distance = k, d
		}
	}
	return best
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
