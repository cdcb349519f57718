package server_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/codes"
)

// Whatever happens on nodes whose clocks differ, and however often the registry loses everything, or does not answer, the highest
// revision of each user tells what is true, once everything has settled.
func TestThePictureIsTrueWhateverHappened(t *testing.T) {
	for seed := range uint64(40) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			witnessed(t, func(t *testing.T, w *world, eye *witness) { pictured(t, w, eye, rand.New(rand.NewPCG(seed, 0))) })
		})
	}
}

func pictured(t *testing.T, w *world, eye *witness, r *rand.Rand) {
	nodes := []*node{w.node(), w.node(), w.node()}
	nodes[0].fast(4 * time.Second) // as far as it knows
	users := []string{"alice", "bob"}
	var devices []*device
	for _, user := range users {
		for _, p := range []codes.Platform{android, windows, web} {
			devices = append(devices, w.device(user, p))
		}
	}
	on := map[*device]*node{} // where each is connected, as far as it knows
	for range 80 {
		w.wait(time.Duration(r.IntN(3000)) * time.Millisecond)
		n, d := nodes[r.IntN(len(nodes))], devices[r.IntN(len(devices))]
		if r.IntN(6) == 0 {
			n.registry.set(func() { n.registry.unanswered = fate(1 + r.IntN(2)) })
		}
		switch what := r.IntN(12); {
		case what == 0: // the nodes have heard each other's clocks by then
			for _, one := range nodes {
				one.fast(4 * time.Second)
			}
			w.wipe(n, users...)
		case what == 1:
			_, _ = n.KickUser(ctx, key(d.user))
			w.wait(2 * time.Second) // tickets of the same second are good
		case on[d] == nil && (d.resume == nil || what < 8):
			if d.try(n, w.long(d.user)) == nil {
				on[d] = n
			}
		case on[d] == nil:
			if d.back(n) == nil {
				on[d] = n
			}
		case what < 7:
			_ = on[d].Logout(ctx, d.grant.Held)
			delete(on, d)
		default:
			d.lose(on[d])
			delete(on, d)
		}
	}
	for _, n := range nodes {
		n.registry.set(func() { n.registry.unanswered = 0 })
	}
	w.wait(20 * time.Minute)
	for _, user := range users {
		require.NotZero(t, eye.revisionOf(user))
		w.online(nodes[0], user, eye.picture(user)...)
	}
}
