package webhook

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestWhatWasUnderWayWhenTheNodeStoppedComesAgain(t *testing.T) {
	path := file(t)
	taken := make(chan struct{})
	b := newBackend(t, func(_ http.ResponseWriter, r *http.Request, _ body) {
		close(taken)
		<-r.Context().Done() // it was taken, and the answer never came
	})
	w, _ := open(t, path, b.URL)
	w.Changed(login("alice", 1))
	w.Changed(login("alice", 2))
	<-taken
	require.NoError(t, w.Close())

	again := newBackend(t, nil)
	w, _ = open(t, path, again.URL)
	drained(t, w)
	require.Equal(t, []uint64{1, 2}, slices.Compact(again.revisions("alice")))
	require.NoError(t, w.Close())
	w, _ = open(t, path, again.URL)
	require.Zero(t, w.Stats().Waiting, "what was answered does not")
	require.Equal(t, []uint64{1, 2}, slices.Compact(again.revisions("alice")))
}

func TestATryLastsForTwoSecondsIfNothingElseIsSaid(t *testing.T) {
	var once sync.Once
	b := newBackend(t, func(w http.ResponseWriter, r *http.Request, _ body) {
		once.Do(func() { <-r.Context().Done() })
		fmt.Fprint(w, ok)
	})
	w, log := open(t, file(t), b.URL, func(o *Options) { o.Receivers = map[uint64]Receiver{app: {URL: b.URL}} })
	began := time.Now()
	w.Changed(login("alice", 1))
	drained(t, w)
	require.GreaterOrEqual(t, time.Since(began), 2*time.Second)
	require.Contains(t, log.String(), "deadline exceeded")
	require.GreaterOrEqual(t, len(b.revisions("alice")), 2, "and then it is tried again")
}

func TestEachTryIsSignedAnew(t *testing.T) {
	var mu sync.Mutex
	times := map[string]bool{}
	b := newBackend(t, func(w http.ResponseWriter, r *http.Request, _ body) {
		q := r.URL.Query()
		mu.Lock()
		defer mu.Unlock()
		if q.Get("Sign") != sign(token, q.Get("RequestTime")) {
			t.Errorf("a bad signature: %s", r.URL)
		}
		times[q.Get("RequestTime")] = true
		if len(times) < 2 {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		fmt.Fprint(w, ok)
	})
	w, _ := open(t, file(t), b.URL, func(o *Options) { o.RetryMin, o.RetryMax = 100*time.Millisecond, 100*time.Millisecond })
	w.Changed(login("alice", 1))
	drained(t, w)
	require.Len(t, times, 2, "a second later it has another time")
}

// The rows of a user who is refused wait for each other, and those of others do not wait for them.
func TestAUserWhoIsNotTakenHoldsUpNobodyElse(t *testing.T) {
	let := make(chan struct{})
	b := newBackend(t, func(w http.ResponseWriter, r *http.Request, in body) {
		if in.Info.ToAccount == "alice" && in.Revision == 1 {
			select {
			case <-let:
			default:
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
		}
		fmt.Fprint(w, ok)
	})
	w, _ := open(t, file(t), b.URL, func(o *Options) { o.Workers = 1 })
	w.Changed(login("alice", 1))
	w.Changed(login("alice", 2))
	for i := range 50 {
		w.Changed(login("bob", uint64(i+1)))
	}
	eventually(t, func() bool { return w.Stats().Delivered == 50 }, "bob's are delivered")
	require.NotContains(t, b.revisions("alice"), uint64(2))
	close(let)
	drained(t, w)
	require.Equal(t, uint64(2), b.revisions("alice")[len(b.revisions("alice"))-1])
}
