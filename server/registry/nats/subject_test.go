package nats_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/server"
	"github.com/opentim/tim/server/registry/nats"
)

func TestUserIDsBecomeTokensOfASubject(t *testing.T) {
	for user, want := range map[string]string{
		"alice": "alice", "Alice-2_x": "Alice-2_x", "a.b": "a=2Eb", "*": "=2A", ">": "=3E", " ": "=20", "=": "=3D", "": "=", "é": "=C3=A9",
	} {
		require.Equal(t, want, nats.Token(user))
	}
	rapid.Check(t, func(t *rapid.T) {
		user := rapid.String().Draw(t, "user")
		token := nats.Token(user)
		require.False(t, token == "" || strings.ContainsAny(token, ".*> \t\r\n"), "%q", token)
		back, err := nats.Untoken(token)
		require.NoError(t, err)
		require.Equal(t, user, back)
	})
	for _, bad := range []string{"=2", "a=", "=zz", "=="} {
		_, err := nats.Untoken(bad)
		require.Error(t, err, bad)
	}
}

var aSession = server.Session{
	ID: "0123456789abcdef", Instance: "an-instance-of-alice", Platform: codes.PlatformIPad, Label: "Anna's iPad", LoginSeq: 1 << 51,
	Resumes: 3, Node: "node-1.5f3a9c01", TicketExpires: time.Unix(1_900_000_000, 0),
}

func TestARecordIsCompactAndHasAVersion(t *testing.T) {
	key := server.UserKey{App: 1, User: "alice"}
	data, err := nats.EncodeSessions([]server.Session{aSession})
	require.NoError(t, err)
	require.Less(t, len(data), 100)
	back, err := nats.DecodeSessions(key, data)
	require.NoError(t, err)
	require.Equal(t, []server.Session{aSession}, back)

	data[0]++
	_, err = nats.DecodeSessions(key, data)
	require.ErrorContains(t, err, "another version")
	_, err = nats.DecodeSessions(key, data[:0])
	require.Error(t, err)
	data[0]--
	_, err = nats.DecodeSessions(key, data[:len(data)-1])
	require.Error(t, err)
}

func TestWrongOptionsAreToldWithoutPasswords(t *testing.T) {
	for want, o := range map[string]nats.Options{
		"the URL must be":         {URL: "user:hunter2@host"},
		"parted by commas":        {URL: "nats://host:4222,"},
		"must be 1, 3 or 5":       {URL: "nats://host:4222", Replicas: 2},
		"letters, digits":         {URL: "nats://host:4222", Cluster: "a.b"},
		"a certificate needs":     {URL: "tls://host:4222", CertFile: "x.pem"},
		"no such file or directo": {URL: "tls://user:hunter2@host:4222", CAFile: "not/there.pem"},
	} {
		_, err := nats.Open(o)
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), "hunter2")
	}
	for text, want := range map[string]string{
		"nats://a:4222, nats://u:hunter2@b:4222": "nats://a:4222,nats://u:xxxxx@b:4222",
		"tls://hunter2@a:4222":                   "tls://xxxxx@a:4222",
		"nats://u:hunter2%zz@a":                  "(a URL that cannot be read)",
	} {
		require.Equal(t, want, nats.Masked(text))
	}
}
