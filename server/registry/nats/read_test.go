package nats_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/server"
	"github.com/opentim/tim/server/registry/nats"
)

var errRefused = errors.New("refused by the change")

// behind returns two nodes. The first looks at a replica for which alice still has the sessions before, or none. In truth she has
// one on another node by now.
func behind(t *testing.T, before ...string) (late, other *nats.Registry) {
	o := nats.Options{URL: startServer(t, 0).ClientURL(), Cluster: newCluster()}
	late, other = open(t, o), open(t, o)
	for i, r := range []*nats.Registry{late, other} {
		r.BePatient(10 * time.Second)
		require.NoError(t, r.Join(ctx, server.NodeID([]string{"late.1", "other.1"}[i]), deaf{}))
	}
	put(t, other, before...)
	late.FallBehind()
	require.ErrorIs(t, late.Update(ctx, key("alice"), func([]server.Session) ([]server.Session, error) { return nil, errRefused }), errRefused)
	put(t, other, "on another node")
	return late, other
}

func put(t *testing.T, r *nats.Registry, ids ...string) {
	t.Helper()
	require.NoError(t, r.Update(ctx, key("alice"), func([]server.Session) ([]server.Session, error) {
		var list []server.Session
		for i, id := range ids {
			list = append(list, server.Session{ID: id, LoginSeq: uint64(i + 1)})
		}
		return list, nil
	}))
}

func ids(sessions []server.Session) (list []string) {
	for _, s := range sessions {
		list = append(list, s.ID)
	}
	return list
}

func TestAChangeOfWhatAReplicaHasOfOldIsMadeAnew(t *testing.T) {
	t.Parallel()
	late, other := behind(t, "old")
	require.NoError(t, late.Update(ctx, key("alice"), func(s []server.Session) ([]server.Session, error) {
		return append(slices.Clone(s), server.Session{ID: "mine", LoginSeq: 2}), nil
	}))
	got, err := other.Sessions(ctx, key("alice"))
	require.NoError(t, err)
	require.Equal(t, []string{"on another node", "mine"}, ids(got))
}

// A resume, for one, is refused without a write. Nothing but the leader can say that what it is refused for is still so.
func TestWhatIsDecidedWithoutAWriteIsDecidedOnWhatTheLeaderKnows(t *testing.T) {
	t.Parallel()
	late, _ := behind(t)
	var last []string
	err := late.Update(ctx, key("alice"), func(s []server.Session) ([]server.Session, error) {
		last = ids(s)
		return nil, errRefused
	})
	require.ErrorIs(t, err, errRefused)
	require.Equal(t, []string{"on another node"}, last)

	err = late.Update(ctx, key("alice"), func(s []server.Session) ([]server.Session, error) {
		if len(s) == 0 {
			return nil, errRefused
		}
		return append(slices.Clone(s), server.Session{ID: "mine", LoginSeq: 2}), nil
	})
	require.NoError(t, err, "refused only by what was so once")
}

func TestToRemoveNothingIsDecidedOnWhatTheLeaderKnows(t *testing.T) {
	t.Parallel()
	late, other := behind(t)
	require.NoError(t, late.Update(ctx, key("alice"), func([]server.Session) ([]server.Session, error) { return nil, nil }))
	got, err := other.Sessions(ctx, key("alice"))
	require.NoError(t, err)
	require.Empty(t, got)
}

func TestSessionsAreThoseThatTheLeaderKnows(t *testing.T) {
	t.Parallel()
	late, _ := behind(t)
	got, err := late.Sessions(ctx, key("alice"))
	require.NoError(t, err)
	require.Equal(t, []string{"on another node"}, ids(got))
}

// A glance from before a write of this node must not make it forget its own keys.
func TestAReplicaThatIsBehindTakesNobodyOffTheIndex(t *testing.T) {
	t.Parallel()
	late, _ := behind(t, "old")
	mine := aSession
	mine.Node = "late.1"
	require.NoError(t, late.Update(ctx, key("alice"), func([]server.Session) ([]server.Session, error) { return []server.Session{mine}, nil }))
	require.ErrorIs(t, late.Update(ctx, key("alice"), func([]server.Session) ([]server.Session, error) { return nil, errRefused }), errRefused)
	var users []server.UserKey
	for user, err := range late.UsersOn(ctx, "late.1") {
		require.NoError(t, err)
		users = append(users, user)
	}
	require.Equal(t, []server.UserKey{key("alice")}, users)
}

func TestAReplicaThatHangsIsNotAskedForAWhile(t *testing.T) {
	t.Parallel()
	r := open(t, nats.Options{URL: startServer(t, 0).ClientURL(), Cluster: newCluster()})
	r.BePatient(10 * time.Second)
	require.NoError(t, r.Join(ctx, "one.1", deaf{}))
	asked := r.HangGlances()
	for range 3 {
		put(t, r, "mine")
	}
	require.EqualValues(t, 1, asked.Load())
}

// Buckets of an older version have no replicas that answer. The first node of this one changes that while others work on.
func TestBucketsThatWereMadeOtherwiseAreChanged(t *testing.T) {
	t.Parallel()
	servers := startChildren(t, 3)
	o := nats.Options{URL: urls(servers), Replicas: 3, Cluster: newCluster()}
	conn, err := natsgo.Connect(o.URL)
	require.NoError(t, err)
	defer conn.Close()
	js, err := jetstream.New(conn)
	require.NoError(t, err)
	r := open(t, o)
	r.BePatient(10 * time.Second)
	old := r.StreamConfig(7)
	old.AllowDirect = false
	soon(t, 20*time.Second, "a bucket of old", func() bool {
		_, err := js.CreateStream(ctx, old)
		return err == nil
	})
	_, err = js.Publish(ctx, r.StreamConfig(7).Subjects[0][:len(old.Subjects[0])-1]+"1.x", []byte("kept"))
	require.NoError(t, err)

	require.NoError(t, r.Join(ctx, "one.1", deaf{}))
	for _, c := range servers {
		direct, err := natsgo.Connect(c.url)
		require.NoError(t, err)
		defer direct.Close()
		soon(t, 10*time.Second, "its replicas answer", func() bool {
			msg, err := direct.Request("$JS.API.DIRECT.GET."+old.Name+"."+old.Subjects[0][:len(old.Subjects[0])-1]+"1.x", nil, time.Second)
			return err == nil && string(msg.Data) == "kept"
		})
	}
}
