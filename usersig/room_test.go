package usersig

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/codes"
)

func TestPrivateMapKeyIsTheOneTheVendorsLibraryWrites(t *testing.T) {
	rooms := map[string]Room{
		"V4 privateMapKey numeric room": {ID: 10000, May: CanAll},
		"V5 privateMapKey string room":  {Name: "1000000040", May: CanEnter | CanReceiveAudio | CanReceiveVideo},
	}
	for _, v := range vectors(t) {
		room, ok := rooms[v.Name]
		if !ok {
			continue
		}
		delete(rooms, v.Name)
		want := v.ticket(t)
		got, err := PrivateMapKey(want.App, want.UserID, want.Expires, room)
		require.NoError(t, err)
		require.Equal(t, want.UserBuf, got)
	}
	require.Empty(t, rooms, "every vector was met")
}

func TestPrivileges(t *testing.T) {
	require.EqualValues(t, 255, CanAll)
	require.EqualValues(t, 42, CanEnter|CanReceiveAudio|CanReceiveVideo)
	require.EqualValues(t, 128, CanReceiveScreen)
}

func TestPrivateMapKeyRefuses(t *testing.T) {
	good := Room{ID: 1, May: CanEnter}
	for _, c := range []struct {
		name    string
		app     uint64
		userID  string
		expires time.Time
		room    Room
		want    codes.Code
	}{
		{"a bad userID", testApp, "a\n", testEnd, good, codes.InvalidUserID},
		{"SDKAppID 0", 0, "alice", testEnd, good, codes.InvalidParameters},
		{"a wide SDKAppID", math.MaxUint32 + 1, "alice", testEnd, good, codes.InvalidParameters},
		{"no time", testApp, "alice", time.Time{}, good, codes.InvalidParameters},
		{"a time after 2106", testApp, "alice", time.Unix(math.MaxUint32+1, 0), good, codes.InvalidParameters},
		{"no room", testApp, "alice", testEnd, Room{May: CanEnter}, codes.InvalidParameters},
		{"two rooms", testApp, "alice", testEnd, Room{ID: 1, Name: "one", May: CanEnter}, codes.InvalidParameters},
		{"nothing permitted", testApp, "alice", testEnd, Room{ID: 1}, codes.InvalidParameters},
		{"a long name", testApp, "alice", testEnd, Room{Name: strings.Repeat("r", MaxUserBuf), May: CanEnter}, codes.InvalidParameters},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := PrivateMapKey(c.app, c.userID, c.expires, c.room)
			require.ErrorIs(t, err, c.want)
			require.Nil(t, got)
		})
	}
}
