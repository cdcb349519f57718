// Package codes holds the words and numbers that tim shares with every language: error codes, states, events,
// platforms. They are generated from spec/; this file gives them their methods.
package codes

import (
	"strconv"
	"strings"
)

// A Code is an error code of the login API. It is an error: compare with errors.Is, which works through wrapping.
// OK is a Code but never returned as an error.
type Code int32

type info struct {
	name, text string
	retry      bool
	close      int
}

// Error returns the text and the number, such as "the ticket is expired (70001)".
func (c Code) Error() string { return c.Text() + " (" + strconv.Itoa(int(c)) + ")" }

// Name returns the identifier of c, such as "TicketExpired", or "Code70999" for a number this version does not know.
func (c Code) Name() string {
	if i, ok := table[c]; ok {
		return i.name
	}
	return "Code" + strconv.Itoa(int(c))
}

// Text returns one sentence of what happened, without a full stop.
func (c Code) Text() string {
	if i, ok := table[c]; ok {
		return i.text
	}
	return "error"
}

// Retry reports whether a client may try again by itself.
func (c Code) Retry() bool { return table[c].retry }

// CloseCode returns the WebSocket close code that ends a connection for this reason, or 0 if c does not end one.
// 3000 to 3499 mean come back, 3500 to 3999 mean stop.
func (c Code) CloseCode() int { return table[c].close }

// FromCloseCode returns the Code whose CloseCode is n, and whether there is one.
func FromCloseCode(n int) (Code, bool) {
	for c, i := range table {
		if i.close == n && n != 0 {
			return c, true
		}
	}
	return 0, false
}

// ParsePlatform returns the Platform called name, in any case, and whether there is one.
func ParsePlatform(name string) (Platform, bool) { return parse(platformNames, name) }

// ParsePolicy returns the Policy called name, in any case, and whether there is one.
func ParsePolicy(name string) (Policy, bool) { return parse(policyNames, name) }

func parse[T ~int32](names map[T]string, name string) (T, bool) {
	for v, n := range names {
		if strings.EqualFold(n, name) {
			return v, true
		}
	}
	return 0, false
}

func nameOf[T ~int32](names map[T]string, v T) string {
	if n, ok := names[v]; ok {
		return n
	}
	return strconv.Itoa(int(v))
}
