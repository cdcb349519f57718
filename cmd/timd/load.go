package main

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/knadh/koanf/providers/env/v2"
	"github.com/knadh/koanf/providers/posflag"
	"github.com/knadh/koanf/v2"
	"github.com/spf13/pflag"
)

// A loaded is a config and where each of its values came from.
type loaded struct {
	config
	values  *koanf.Koanf
	sources map[string]string // by key; a key that is missing has its default
	file    string            // the configuration file, or ""
}

// load reads the configuration. A flag wins over the environment, that over the file, that over the default.
func load(flags *pflag.FlagSet, environ []string) (*loaded, error) {
	l := &loaded{values: koanf.New("."), sources: map[string]string{}}
	if err := l.values.Load(values(defaults()), nil); err != nil {
		return nil, err
	}
	path, _ := flags.GetString("config")
	if path == "" {
		path = lookup(environ, "TIMD_CONFIG")
	}
	if l.file = path; path != "" {
		if err := l.loadFile(path); err != nil {
			return nil, err
		}
	}
	if err := l.loadEnvironment(environ); err != nil {
		return nil, err
	}
	if err := l.loadFlags(flags); err != nil {
		return nil, err
	}
	if err := l.values.Unmarshal("", &l.config); err != nil {
		return nil, l.explain(err)
	}
	return l, l.check()
}

// values is a koanf.Provider of what is in memory.
type values map[string]any

func (v values) Read() (map[string]any, error) { return v, nil }
func (v values) ReadBytes() ([]byte, error)    { return nil, errors.New("values have no bytes") }

func defaults() map[string]any {
	all := map[string]any{}
	for _, s := range settings {
		into, key := all, s.key
		if group, rest, ok := strings.Cut(key, "."); ok {
			if all[group] == nil {
				all[group] = map[string]any{}
			}
			into, key = all[group].(map[string]any), rest
		}
		into[key] = s.fallback
	}
	return all
}

func (l *loaded) loadFile(path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read the configuration: %w", err)
	}
	f, err := parseFile(path, data)
	if err != nil {
		return err
	}
	for key, line := range f.lines {
		l.sources[key] = fmt.Sprintf("%s:%d", path, line)
	}
	return l.values.Load(values(f.values), nil)
}

func (l *loaded) loadEnvironment(environ []string) error {
	var err error
	provider := env.Provider(".", env.Opt{
		Prefix:      "TIMD_",
		EnvironFunc: func() []string { return environ },
		TransformFunc: func(name, value string) (string, any) {
			if name == "TIMD_CONFIG" {
				return "", nil
			}
			i := slices.IndexFunc(settings, func(s setting) bool { return envName(s.key) == name })
			if i < 0 {
				names := []string{"TIMD_CONFIG"}
				for _, s := range settings {
					names = append(names, envName(s.key))
				}
				err = errors.Join(err, fmt.Errorf("environment: unknown variable %s%s", name, didYouMean(name, names)))
				return "", nil
			}
			key := settings[i].key
			l.sources[key] = "environment " + name
			if _, list := settings[i].fallback.([]string); !list {
				return key, value
			}
			items, e := l.list(key, []string{value})
			err = errors.Join(err, e)
			return key, items
		},
	})
	return errors.Join(l.values.Load(provider, nil), err)
}

func (l *loaded) loadFlags(flags *pflag.FlagSet) error {
	var err error
	provider := posflag.ProviderWithFlag(flags, ".", nil, func(f *pflag.Flag) (string, any) {
		i := slices.IndexFunc(settings, func(s setting) bool { return flagName(s.key) == f.Name })
		if i < 0 || !f.Changed {
			return "", nil
		}
		key := settings[i].key
		l.sources[key] = "flag --" + f.Name
		if list, ok := f.Value.(pflag.SliceValue); ok {
			items, e := l.list(key, list.GetSlice())
			err = errors.Join(err, e)
			return key, items
		}
		return key, posflag.FlagVal(flags, f)
	})
	return errors.Join(l.values.Load(provider, nil), err)
}

// list returns the items of a list setting, of which each value may hold several; an app is written ID=KEYFILE.
func (l *loaded) list(key string, values []string) (any, error) {
	if key != "apps" {
		var items []string
		for _, value := range values {
			items = append(items, strings.FieldsFunc(value, isSeparator)...)
		}
		return items, nil
	}
	var rows []any
	for _, item := range splitApps(values) {
		id, file, ok := strings.Cut(item, "=")
		if _, err := strconv.ParseUint(id, 10, 64); err != nil || !ok || file == "" {
			return nil, fmt.Errorf("%s: %q is no app: write ID=KEYFILE, such as 1400000001=app.key", l.sources[key], item)
		}
		rows = append(rows, map[string]any{"id": id, "key_file": file})
	}
	return rows, nil
}

func isSeparator(r rune) bool { return r == ',' || r == ' ' }

// splitApps parts apps where an ID= follows, because the name of a file may have a comma or a space.
func splitApps(values []string) (apps []string) {
	for _, value := range values {
		from := 0
		for i, r := range value {
			if i > 0 && isSeparator(r) && anApp.MatchString(value[i+1:]) {
				apps = append(apps, strings.TrimRightFunc(value[from:i], isSeparator))
				from = i + 1
			}
		}
		apps = append(apps, value[from:])
	}
	return apps
}

var anApp = regexp.MustCompile(`^[0-9]+=`)

// explain names the place of each value that has the wrong type, and what it may be. Those of the file were checked before.
func (l *loaded) explain(err error) error {
	var all []error
	for _, s := range settings {
		text, ok := l.values.Get(s.key).(string)
		if k := s.kind(); ok && !k.reads(text) {
			all = append(all, l.wrong(s.key, k.complaint(text)))
		}
	}
	if len(all) == 0 {
		return err
	}
	return errors.Join(all...)
}

// wrong says what is wrong with a value and where it stands.
func (l *loaded) wrong(key, what string) error {
	at := l.sources[key]
	for at == "" && strings.ContainsAny(key, ".[") { // an element: the list is what has a place
		key = key[:strings.LastIndexAny(key, ".[")]
		at = l.sources[key]
	}
	if at == "" {
		at = "default"
	}
	return fmt.Errorf("%s: %s: %s", at, key, what)
}

func lookup(environ []string, name string) string {
	for _, e := range environ {
		if value, ok := strings.CutPrefix(e, name+"="); ok {
			return value
		}
	}
	return ""
}
