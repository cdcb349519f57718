package codes

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestACodeSaysWhatTheSpecSays(t *testing.T) {
	var rows []struct {
		Name, Text, Facade string
		Number, Close      int
		Retry              bool
	}
	data, err := os.ReadFile("../spec/codes.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, &rows))
	require.Len(t, All(), len(rows))

	for i, row := range rows {
		c := Code(row.Number)
		require.Equal(t, c, All()[i])
		require.Equal(t, row.Name, c.Name())
		require.Equal(t, row.Text, c.Text())
		require.Equal(t, row.Retry, c.Retry(), row.Name)
		require.Equal(t, row.Close, c.CloseCode(), row.Name)
		require.Equal(t, fmt.Sprintf("%s (%d)", row.Text, row.Number), c.Error())

		found, ok := FromCloseCode(row.Close)
		require.Equal(t, row.Close != 0, ok, row.Name)
		if ok {
			require.Equal(t, c, found)
		}
	}
}

func TestACodeOfANewerVersionIsStillAnError(t *testing.T) {
	c := Code(70999)
	require.Equal(t, "Code70999", c.Name())
	require.EqualError(t, c, "error (70999)")
	require.False(t, c.Retry())
	require.Zero(t, c.CloseCode())
}

func TestErrorsIsFindsACodeThroughWrapping(t *testing.T) {
	err := fmt.Errorf("login alice: %w", TicketExpired)
	require.ErrorIs(t, err, TicketExpired)
	require.NotErrorIs(t, err, UserSigExpired)
	var c Code
	require.True(t, errors.As(err, &c))
	require.Equal(t, TicketExpired, c)
}

func TestCloseCodesThatNobodyUses(t *testing.T) {
	for _, n := range []int{-1, 0, 1000, 1006, 3000, 3999} {
		_, ok := FromCloseCode(n)
		require.False(t, ok, n)
	}
}

func TestPlatformNames(t *testing.T) {
	for _, tt := range []struct {
		platform                   Platform
		name, upper, rest, webhook string
		limit                      int
	}{
		{PlatformIOS, "ios", "IOS", "iPhone", "iOS", 3},
		{PlatformIPad, "ipad", "IPAD", "iPad", "iPad", 3},
		{PlatformAndroid, "android", "Android", "Android", "Android", 3},
		{PlatformWindows, "windows", "Windows", "PC", "Windows", 3},
		{PlatformMac, "mac", "Mac", "Mac", "Mac", 3},
		{PlatformLinux, "linux", "LINUX", "Linux", "Linux", 3},
		{PlatformWeb, "web", "WEB", "Web", "Web", 10},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.name, tt.platform.String())
			for _, spelling := range []string{tt.name, tt.upper} {
				parsed, ok := ParsePlatform(spelling)
				require.True(t, ok)
				require.Equal(t, tt.platform, parsed)
			}
			require.Equal(t, tt.rest, tt.platform.REST())
			require.Equal(t, tt.webhook, tt.platform.Webhook())
			require.Equal(t, tt.limit, tt.platform.MaxInstances())
			require.Contains(t, Platforms(), tt.platform)
		})
	}
	require.Len(t, Platforms(), 7)

	for _, stranger := range []Platform{0, 8, -1} {
		require.Empty(t, stranger.REST())
		require.Zero(t, stranger.MaxInstances())
	}
	require.Equal(t, "8", Platform(8).String())
	_, ok := ParsePlatform("")
	require.False(t, ok)
}

// The kick matrix of the documentation, default limits: an x where a newcomer (row) pushes the other one (column) out.
// Linux is counted with the desktops.
func TestWhoSharesAGroup(t *testing.T) {
	order := []Platform{PlatformAndroid, PlatformIOS, PlatformIPad, PlatformWindows, PlatformMac, PlatformLinux, PlatformWeb}
	for policy, matrix := range map[Policy]string{
		PolicySingle: "xxxxxxx xxxxxxx xxxxxxx xxxxxxx xxxxxxx xxxxxxx xxxxxxx",
		PolicyDual:   "xxxxxx. xxxxxx. xxxxxx. xxxxxx. xxxxxx. xxxxxx. ......x",
		PolicyTriple: "xxx.... xxx.... xxx.... ...xxx. ...xxx. ...xxx. ......x",
		PolicyMulti:  "x...... .x..... ..x.... ...x... ....x.. .....x. ......x",
	} {
		rows := strings.Fields(matrix)
		for i, newcomer := range order {
			for j, other := range order {
				require.Equal(t, rows[i][j] == 'x', policy.SameGroup(newcomer, other), "%s: %s and %s", policy, newcomer, other)
			}
		}
		var grouped []Platform
		for _, group := range policy.Groups() {
			grouped = append(grouped, group...)
		}
		require.ElementsMatch(t, Platforms(), grouped)
	}
	require.Len(t, Policies(), 4)
	require.Nil(t, Policy(9).Groups())
	require.False(t, Policy(9).SameGroup(PlatformWeb, PlatformWeb))
	require.False(t, PolicySingle.SameGroup(PlatformWeb, 8))
	require.Zero(t, testing.AllocsPerRun(100, func() { PolicyTriple.SameGroup(PlatformMac, PlatformWeb) }))
}

func TestWordsOfTheFacades(t *testing.T) {
	require.Equal(t, []int{2, 1, 0}, []int{LoggedOut.V2TIM(), LoggingIn.V2TIM(), LoggedIn.V2TIM()})
	require.Equal(t, "connected", StateConnected.Chat())
	require.Equal(t, "multipleAccount", KickMultipleAccount.Chat())
	require.Equal(t, "multipleDevice", KickMultipleDevice.Chat())
	require.Equal(t, "REST_API_Kick", KickRESTAPI.Chat())
	require.Empty(t, KickReason(99).Chat())
	require.Equal(t, "99", KickReason(99).String())
	policy, ok := ParsePolicy("Dual")
	require.True(t, ok)
	require.Equal(t, PolicyDual, policy)
}
