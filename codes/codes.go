// Package codes holds the words and numbers that tim shares with every language: error codes, states, events,
// platforms. They are generated from spec/; codes.go and platforms.go give them their methods.
package codes

import (
	"slices"
	"strconv"
)

//go:generate go run github.com/opentim/tim/internal/gen

// A Code is an error code of the login API. It is an error: compare with errors.Is, which works through wrapping.
// OK is a Code but never returned as an error.
type Code int32

type info struct {
	name, text string
	retry      bool
	close      int
}

// All returns every code that this version knows, OK included, in the order of spec/codes.json.
func All() []Code { return slices.Clone(all) }

// Error returns the text and the number, such as "the ticket is expired (70001)".
func (c Code) Error() string { return c.Text() + " (" + strconv.Itoa(int(c)) + ")" }

// Name returns the identifier of c, such as "TicketExpired", or "Code70999" for a number this version does not know.
func (c Code) Name() string {
	if i, ok := table[c]; ok {
		return i.name
	}
	return "Code" + strconv.Itoa(int(c))
}

// Text returns one sentence of what happened, without a full stop, or "error" for a number this version does not know.
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
	c, ok := byCloseCode[n]
	return c, ok
}

// V2TIM returns the number that the V2TIM facade has for s: 0 logged in, 1 logging in, 2 logged out.
func (s LoginStatus) V2TIM() int { return v2timLoginStatus[s] }

// Chat returns the word that the Chat facade has for s in NET_STATE_CHANGE, or "" for a number that is not known.
func (s ConnectionState) Chat() string { return chatConnectionState[s] }

// Chat returns the word that the Chat facade has for r in KICKED_OUT, or "" for a number that is not known.
func (r KickReason) Chat() string { return chatKickReason[r] }

// A named pairs a value with its name; lists of them are short and keep the order of spec/events.json.
type named[T ~int32] struct {
	value T
	name  string
}

func nameOf[T ~int32](names []named[T], v T) string {
	for _, n := range names {
		if n.value == v {
			return n.name
		}
	}
	return strconv.Itoa(int(v))
}

func values[T ~int32](names []named[T]) []T {
	list := make([]T, len(names))
	for i, n := range names {
		list[i] = n.value
	}
	return list
}
