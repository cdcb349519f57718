package main

import (
	"regexp"
	"strings"
)

// spoken are the words that keep their own capitals in Go and TypeScript.
var spoken = map[string]string{"ios": "IOS", "ipad": "IPad", "rest": "REST", "api": "API"}

// camel turns user_sig_expired into UserSigExpired.
func camel(snake string) string {
	var out strings.Builder
	for word := range strings.SplitSeq(snake, "_") {
		if s, ok := spoken[word]; ok {
			out.WriteString(s)
		} else {
			out.WriteString(strings.ToUpper(word[:1]) + word[1:])
		}
	}
	return out.String()
}

var (
	lowerUpper = regexp.MustCompile(`([a-z0-9])([A-Z])`)
	lastUpper  = regexp.MustCompile(`([A-Z])([A-Z][a-z])`)
)

// screaming turns RESTTooOften into REST_TOO_OFTEN. SDKAppID is one word, as it is in SDKAPPID.
func screaming(name string) string {
	name = strings.ReplaceAll(name, "SDKAppID", "SDKAPPID")
	name = lastUpper.ReplaceAllString(name, "${1}_${2}")
	name = lowerUpper.ReplaceAllString(name, "${1}_${2}")
	return strings.ToUpper(name)
}

// cCode returns the C constant of c.
func cCode(c Code) string { return "TIM_" + screaming(c.Name) }
