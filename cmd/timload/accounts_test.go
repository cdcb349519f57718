package main

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/internal/wire"
	"github.com/opentim/tim/usersig"
)

func TestTicketsAreCompressedAndGood(t *testing.T) {
	text, err := ticketFor("user_0000000001")
	require.NoError(t, err)
	ticket, err := usersig.NewVerifier(appID, appKey).Verify(text, "user_0000000001", time.Now())
	require.NoError(t, err)
	require.Equal(t, "user_0000000001", ticket.UserID)

	packed, err := base64.StdEncoding.DecodeString(fromTicket.Replace(text))
	require.NoError(t, err)
	r, err := zlib.NewReader(bytes.NewReader(packed))
	require.NoError(t, err)
	document, err := io.ReadAll(r)
	require.NoError(t, err)
	require.Less(t, len(packed), len(document), "stored would be longer than what is in it")
}

func TestLoginsAreReadyToBeWritten(t *testing.T) {
	frames, err := manyLogins(3)
	require.NoError(t, err)
	require.Len(t, frames, 3)
	messages := asMessages(frames)
	for i, m := range messages {
		frame, err := wire.Decode(m[8:]) // behind the head of a message of 126 to 65,535 bytes
		require.NoError(t, err)
		login := frame.(*wire.Login)
		require.Equal(t, userName(i), login.User)
		require.Equal(t, codes.PlatformAndroid, login.Platform)
		require.NoError(t, checkEcho(m, opBinary, m[8:]))
		require.Error(t, checkEcho(m, opBinary, messages[(i+1)%3][8:]), "somebody else's echo")
	}
}

func TestAnswersAreTold(t *testing.T) {
	accepted := wire.Append(nil, &wire.Accepted{Request: 1, Session: "s", ReconnectWindow: 5000})
	got, err := acceptedIn(opBinary, accepted)
	require.NoError(t, err)
	require.Equal(t, int64(5000), got.ReconnectWindow)

	_, err = acceptedIn(opBinary, wire.Append(nil, &wire.Refused{Request: 1, Code: codes.Overloaded}))
	require.ErrorIs(t, err, codes.Overloaded)
	_, err = acceptedIn(opBinary, wire.Append(nil, &wire.Bye{}))
	require.ErrorContains(t, err, "instead of an answer")
	_, err = acceptedIn(opText, accepted)
	require.Error(t, err)
	_, err = acceptedIn(opBinary, []byte("nonsense"))
	require.Error(t, err)
}
