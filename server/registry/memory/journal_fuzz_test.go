package memory

import (
	"bufio"
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/server"
)

// Whatever a journal says, with good checksums or without, it is read as far as it can be.
func FuzzJournal(f *testing.F) {
	head := appendHead(nil, "n.1")[recordHead:]
	one := appendUser(nil, userKey(1), []server.Session{signedIn(1, "n.1"), signedIn(2, "n.1")})[recordHead:]
	f.Add(head, one, []byte{})
	f.Add(head, appendUser(nil, userKey(1), nil)[recordHead:], []byte{1, 2, 3})
	f.Add([]byte{9}, []byte{}, []byte{})
	f.Add(head, one, make([]byte, 8)) // a power cut
	f.Fuzz(func(t *testing.T, first, second, rest []byte) {
		var file []byte
		for _, data := range [][]byte{first, second} {
			at := len(file)
			file = seal(append(append(file, make([]byte, recordHead)...), data...), at)
		}
		c := NewCluster()
		node, err := c.read(bufio.NewReader(bytes.NewReader(append(file, rest...))))
		users := (&Registry{cluster: c}).logins()
		if node == "" {
			require.Error(t, err)
			require.Empty(t, users)
		}
		if len(second) == 0 {
			require.Error(t, err)
		}
		for key, text := range users {
			require.True(t, server.SessionsSorted(c.shard(key).users[key]))
			record := fields{data: []byte(text)[recordHead:]}
			again, sessions, err := record.user(node)
			require.NoError(t, err)
			require.Equal(t, key, again)
			require.Equal(t, text, string(appendUser(nil, key, sessions)))
		}
	})
}
