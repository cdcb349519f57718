package format

import (
	"encoding/json"
	"fmt"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/server"
)

// EncodeSettings returns a policy and limits as a database has them: by name, so that they can be read there.
func EncodeSettings(s server.Settings) (policy, limits string, err error) {
	byName := make(map[string]int, len(s.Limits))
	for p, n := range s.Limits {
		byName[p.String()] = n
	}
	text, err := json.Marshal(byName)
	return s.Policy.String(), string(text), err
}

// DecodeSettings reads what EncodeSettings wrote. No limits are nil.
func DecodeSettings(policy, limits string) (codes.Policy, map[codes.Platform]int, error) {
	p, ok := codes.ParsePolicy(policy)
	if !ok {
		return 0, nil, fmt.Errorf("policy %q is not known", policy)
	}
	var byName map[string]int
	if err := json.Unmarshal([]byte(limits), &byName); err != nil || len(byName) == 0 {
		return p, nil, err
	}
	byPlatform := make(map[codes.Platform]int, len(byName))
	for name, n := range byName {
		platform, ok := codes.ParsePlatform(name)
		if !ok {
			return 0, nil, fmt.Errorf("platform %q is not known", name)
		}
		byPlatform[platform] = n
	}
	return p, byPlatform, nil
}
