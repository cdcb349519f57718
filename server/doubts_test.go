package server

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Two writes of a user were not answered, and the second began with what a replica knew that was late: it cannot have happened.
func TestAChangeInDoubtIsNotForgottenForTheNext(t *testing.T) {
	var d doubts
	alice := UserKey{App: 1, User: "alice"}
	there := []Session{{ID: "phone"}}
	d.add(alice, []Change{{Action: LoggedOut, Revision: 7}})
	d.add(alice, []Change{{Action: LinkClosed, Revision: 8, Sessions: there}})
	require.Equal(t, []Change{{Action: LoggedOut, Revision: 7}}, d.proved(alice, 7))
	require.Equal(t, LinkClosed, d.proved(alice, 8)[0].Action)
	require.Nil(t, d.proved(alice, 9), "another node told since")
	require.Equal(t, LoggedOut, d.proved(alice, 0)[0].Action, "a key without a trace was emptied")

	for revision := range uint64(100) {
		d.add(alice, []Change{{Action: LoggedIn, Revision: 100 + revision, Sessions: there}})
	}
	require.Len(t, d.users[alice], 4)
	require.Len(t, d.list(), 1)
	d.end(alice)
	require.Empty(t, d.list())
	require.Nil(t, d.proved(alice, 199))
}
