package conformance

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/codes"
)

// What a call does in each state, and the stories that turn red when it does not.
var rules = []struct {
	call, in string
	stories  string
}{
	{"any", "before there is a client", "login-before-open"},
	{"any", "after close", "calls-after-close"},
	{"login with a mistake", "logged out", "login-with-mistakes login-with-the-longest-user-id"},
	{"login with a mistake", "logging in", "login-with-mistakes-while-logging-in"},
	{"login with a mistake", "logged in", "login-with-mistakes-while-logged-in"},
	{"login", "logged out", "login login-refused login-retried-after-a-lost-connection login-retried-when-overloaded " +
		"login-refused-for-longer-than-it-may-take login-is-never-answered login-into-a-black-hole login-finds-no-server"},
	{"login, same ticket", "dialing", "login-joins-a-login-that-dials"},
	{"login, same ticket", "authenticating", "login-joins-a-login"},
	{"login, same ticket", "waiting", "login-joins-a-login-that-waits"},
	{"login, other ticket", "dialing", "login-with-a-newer-ticket-while-dialing"},
	{"login, other ticket", "authenticating", "login-with-a-newer-ticket"},
	{"login, other ticket", "waiting", "login-with-a-newer-ticket-while-waiting"},
	{"login, other user", "dialing", "login-of-another-while-dialing"},
	{"login, other user", "authenticating", "login-of-another-while-logging-in"},
	{"login, same user", "online", "login-again login-again-with-a-newer-ticket"},
	{"login, same user", "coming back", "login-again-while-offline login-again-while-coming-back"},
	{"login, other user", "online", "switch-user"},
	{"login, other user", "coming back", "switch-user-while-offline"},
	{"login, expired ticket", "any", "login-with-an-expired-ticket ticket-expired"},
	{"logout", "logging in", "logout-while-dialing logout-while-logging-in"},
	{"logout", "logged in", "logout logout-is-never-confirmed logout-while-offline"},
	{"logout", "logged out", "logout-while-logged-out logout-after-a-kick"},
	{"renew", "logged out", "logout-while-logged-out"},
	{"renew", "online", "renew renew-refused renew-joins-a-renewal kicked-while-renewing"},
	{"renew", "coming back", "renew-while-offline renew-while-coming-back"},
	{"close", "logged out", "close-while-logged-out close-after-a-kick"},
	{"close", "logging in", "close-while-dialing close-while-logging-in close-while-waiting-to-log-in close-while-switching-users"},
	{"close", "online", "calls-after-close close-and-open close-while-renewing close-while-the-provider-thinks"},
	{"close", "coming back", "close-while-offline close-while-dialing-back close-while-coming-back"},
	{"close", "logging out", "close-while-logging-out"},
	{"close", "inside a callback", "close-inside-the-listener close-inside-an-answer"},
	{"wake", "logging in", "wake-during-a-login"},
	{"wake", "online", "wake-while-online half-open-and-woken"},
	{"wake", "coming back", "reconnect-window background-and-back"},
}

func TestEveryRuleOfTheDesignHasAStory(t *testing.T) {
	all, err := load(scenarios)
	require.NoError(t, err)
	for _, r := range rules {
		for _, name := range strings.Fields(r.stories) {
			require.True(t, slices.ContainsFunc(all, func(s scenario) bool { return s.name == name }), "%s, %s: there is no %s", r.call, r.in, name)
		}
	}
}

// A new kick reason, a new goodbye or a new event has to come with a story.
func TestEveryWordOfTheSpecIsInAStory(t *testing.T) {
	all, err := load(scenarios)
	require.NoError(t, err)
	told := func(start string, words ...string) bool {
		return slices.ContainsFunc(all, func(s scenario) bool {
			return slices.ContainsFunc(s.steps, func(s step) bool {
				return strings.HasPrefix(s.text, start) && !slices.ContainsFunc(words, func(w string) bool { return !slices.Contains(s.args, w) })
			})
		})
	}
	for reason := codes.KickReason(1); reason.String() != strconv.Itoa(int(reason)); reason++ { // one that is not known is its number
		require.True(t, told("server says kicked", "reason="+reason.String()), reason)
		require.True(t, told("app hears kicked_offline", "reason="+reason.String()), reason)
	}
	for action := codes.ByeResume; action.String() != strconv.Itoa(int(action)); action++ {
		require.True(t, told("server says bye", "action="+action.String()), action)
	}
	for kind := codes.EventConnecting; kind.String() != strconv.Itoa(int(kind)); kind++ {
		if kind == codes.EventLoginStatus || kind == codes.EventLog { // which drivers print by its value; which they do not print
			continue
		}
		require.True(t, told("app hears "+kind.String()), kind)
	}
	for _, frame := range []string{"accepted", "refused", "reply", "kicked", "ticket", "bye"} {
		require.True(t, told("server says "+frame), frame)
	}
	for _, status := range []codes.LoginStatus{codes.LoggedOut, codes.LoggingIn, codes.LoggedIn} {
		require.True(t, told("app hears "+status.String()), status)
	}
}
