package main

import (
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
)

const lockPath = "spec/codes.lock"

const lockHeader = `# What a release promised: kind, name, number. A line may never change or go: programs that we cannot see hold these
# numbers. "go run ./internal/gen -release" adds what is new; gen refuses a spec that breaks a line.
`

// A lock holds the numbers that were released, by "kind name".
type lock map[string]int

func readLock(root string) (lock, error) {
	data, err := os.ReadFile(filepath.Join(root, lockPath))
	if err != nil {
		return nil, err
	}
	l := lock{}
	for i, line := range strings.Split(string(data), "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		var kind, name string
		var number int
		if n, err := fmt.Sscanf(line, "%s %s %d", &kind, &name, &number); n != 3 || err != nil {
			return nil, fmt.Errorf("%s:%d: %q is not kind, name and number", lockPath, i+1, line)
		}
		l[kind+" "+name] = number
	}
	return l, nil
}

// broken says which released numbers the spec changed or lost.
func (l lock) broken(s *Spec) (problems []string) {
	now := promises(s)
	for _, key := range sorted(l) {
		number, there := now[key]
		switch {
		case !there:
			problems = append(problems, fmt.Sprintf("%s: was released as %d and is gone (%s)", key, l[key], lockPath))
		case number != l[key]:
			problems = append(problems, fmt.Sprintf("%s: was released as %d and is %d now (%s)", key, l[key], number, lockPath))
		}
	}
	return problems
}

// with returns the lock file that also holds everything in s.
func (l lock) with(s *Spec) []byte {
	all := promises(s)
	var out strings.Builder
	out.WriteString(lockHeader)
	for _, key := range sorted(all) {
		fmt.Fprintf(&out, "%s %d\n", key, all[key])
	}
	return []byte(out.String())
}

// promises lists what a release of s promises.
func promises(s *Spec) lock {
	all := lock{}
	for _, c := range s.Codes {
		all["code "+c.Name] = c.Number
		if c.Close != 0 {
			all["close "+c.Name] = c.Close
		}
	}
	for _, k := range s.Kinds {
		for _, it := range k.Items {
			all[k.Key+" "+it.Name] = it.Number
		}
	}
	return all
}

// sorted returns the keys by kind, then number.
func sorted(l lock) []string {
	keys := make([]string, 0, len(l))
	for key := range l {
		keys = append(keys, key)
	}
	kind := func(key string) string { return key[:strings.IndexByte(key, ' ')] }
	sort.Slice(keys, func(i, j int) bool {
		a, b := keys[i], keys[j]
		if kind(a) != kind(b) {
			return kind(a) < kind(b)
		}
		return l[a] < l[b]
	})
	return keys
}
