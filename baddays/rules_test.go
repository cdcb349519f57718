//go:build linux

package baddays

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A hearing checks, line by line, what holds for what an app is told on the worst of days: connections alternate, the login
// status takes its steps in order, state comes before results, the end is the last word.
type hearing struct {
	link   string // the last event of the connection
	status string
	ready  bool
	open   bool
}

func newHearing() *hearing { return &hearing{link: "disconnected", status: "logged_out"} }

// wrong says what is wrong with the next line; "" if nothing is.
func (h *hearing) wrong(line string) string {
	word, rest, _ := strings.Cut(line, " ")
	state := fmt.Sprintf("%s, %s, ready %v, open %v", h.link, h.status, h.ready, h.open)
	if !h.allows(word, rest) {
		return fmt.Sprintf("%q came when it was: %s", line, state)
	}
	switch word {
	case "connecting", "connected", "disconnected":
		h.link = word
	case "logging_in", "logged_in", "logged_out":
		h.status = word
	case "ready":
		h.ready = rest == "true"
	case "open":
		*h = *newHearing()
		h.open = true
	case "closed":
		h.open = false
	}
	return ""
}

func (h *hearing) allows(word, rest string) bool {
	was := func(link string, statuses ...string) bool {
		return h.open && (link == "" || link == h.link) && slices.Contains(statuses, h.status)
	}
	fine := strings.HasPrefix(rest, "OK") || strings.Contains(rest, " OK ")
	switch word {
	case "connecting":
		return was("disconnected", "logging_in", "logged_in")
	case "connected":
		return rest == "first" && was("connecting", "logging_in") || rest == "resumed" && was("connecting", "logged_in")
	case "disconnected":
		return h.open && h.link != "disconnected"
	case "logging_in":
		return was("", "logged_out") && !h.ready
	case "logged_in":
		return was("connected", "logging_in")
	case "logged_out":
		return was("", "logging_in", "logged_in")
	case "ready":
		return rest == "true" && was("connected", "logged_in") && !h.ready || rest == "false" && was("", "logged_out") && h.ready
	case "kicked_offline", "user_sig_expired", "user_sig_will_expire":
		return was("", "logged_in") && h.ready
	case "login":
		return fine && was("", "logged_in") && h.ready || !fine && was("disconnected", "logged_out")
	case "logout":
		return was("", "logged_out") && fine // which never fails for the network's sake
	case "renew":
		return fine && was("", "logged_in") || !fine
	case "closed":
		return was("disconnected", "logged_out") && !h.ready
	case "open":
		return !h.open && rest == "OK"
	case "close": // has returned
		return !h.open
	case "status":
		return true
	}
	return false
}

// complaints are all that is wrong with a history.
func complaints(lines ...string) (all []string) {
	h := newHearing()
	for _, line := range lines {
		if what := h.wrong(line); what != "" {
			all = append(all, what)
		}
	}
	return all
}

func TestWhatAnAppMustNotBeTold(t *testing.T) {
	online := []string{"open OK", "logging_in", "connecting", "connected first", "logged_in", "ready true", "login alice OK session=s at=1"}
	and := func(lines []string, more ...string) []string { return slices.Concat(lines, more) }
	away := and(online, "disconnected Disconnected")
	require.Empty(t, complaints(and(away, "connecting", "connected resumed", "logged_out", "ready false", "disconnected OK", "logout OK", "closed OK", "close done")...))
	require.Empty(t, complaints("open OK", "logging_in", "connecting", "disconnected X", "connecting", "logged_out", "disconnected X", "login alice X"))
	for _, wrong := range [][]string{
		{"connecting"}, // nothing is open
		{"open OK", "connecting"},
		{"open OK", "logging_in", "logging_in"},
		{"open OK", "logging_in", "connecting", "logged_in"},
		{"open OK", "logging_in", "connecting", "connected resumed"},
		and(online[:5], "login alice OK session=s at=1"), // before it is ready
		and(online, "connecting"),
		and(online, "connected first"),
		and(online, "login alice X"),
		and(online, "logging_in"),
		and(online, "ready true"),
		and(online, "closed OK"),
		and(online, "a word that nobody knows"),
		and(away, "disconnected Disconnected"),
		and(away, "connecting", "connected first"),
		and(away, "logged_out", "logging_in"),              // and still ready
		and(away, "logged_out", "kicked_offline X"),        // the reason comes first
		and(away, "logged_out", "ready false", "logout X"), // a logout never fails
		and(away, "logged_out", "ready false", "closed OK", "disconnected X"),
	} {
		require.NotEmpty(t, complaints(wrong...), "%q", wrong)
	}
}
