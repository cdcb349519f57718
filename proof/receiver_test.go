//go:build linux

package proof

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/server"
)

const hookToken = "the token of the proof's webhook"

// A receiver is an app's backend that is told what becomes of sessions, and has a picture of each user: what the message with the
// highest revision said. It is slow and fails at times, so that messages come late, twice and in any order between nodes.
type receiver struct {
	*httptest.Server

	mu    sync.Mutex
	rand  *rand.Rand
	wrong error // with a request
	users map[string]picture
}

type picture struct {
	revision uint64
	sessions map[string]string // status by ID
}

func newReceiver(t testing.TB, seed uint64) *receiver {
	r := &receiver{rand: rand.New(rand.NewPCG(seed, 77)), users: map[string]picture{}}
	r.Server = httptest.NewServer(r)
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, in *http.Request) {
	var body struct {
		Info     struct{ To_Account string } //nolint:revive // Tencent's
		Revision uint64
		Sessions []struct{ Session, Status string }
	}
	err := json.NewDecoder(in.Body).Decode(&body)
	q := in.URL.Query()
	if sum := sha256.Sum256([]byte(hookToken + q.Get("RequestTime"))); q.Get("Sign") != hex.EncodeToString(sum[:]) {
		err = errors.Join(err, errors.New("the signature is not good"))
	}
	r.mu.Lock()
	what, slow := r.rand.IntN(10), time.Duration(r.rand.IntN(100))*time.Millisecond
	r.wrong = errors.Join(r.wrong, err)
	p := picture{body.Revision, map[string]string{}}
	for _, s := range body.Sessions {
		p.sessions[s.Session] = s.Status
	}
	if user := body.Info.To_Account; what > 0 && p.revision > r.users[user].revision {
		r.users[user] = p
	}
	r.mu.Unlock()
	switch what {
	case 0, 1: // it was not taken, or it was and the answer is lost
		w.WriteHeader(http.StatusInternalServerError)
		return
	case 2:
		time.Sleep(slow)
	}
	fmt.Fprint(w, `{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":""}`)
}

// seesWhatIsTrue compares the picture of users with what a node says of them.
func (r *receiver) seesWhatIsTrue(n *node, users []string) error {
	for _, user := range users {
		sessions, err := n.sessions(ctx, user)
		if err != nil && !errors.Is(err, codes.AccountNotFound) {
			return err
		}
		want := map[string]string{}
		for _, s := range sessions {
			want[s.ID] = statusOf(s)
		}
		r.mu.Lock()
		got, wrong := r.users[user], r.wrong
		r.mu.Unlock()
		if wrong != nil {
			return wrong
		}
		if !maps.Equal(want, got.sessions) {
			return fmt.Errorf("%s has %v, and the receiver believes %v by revision %d", user, want, got.sessions, got.revision)
		}
	}
	return nil
}

func statusOf(s server.Session) string {
	if s.AwayUntil.IsZero() {
		return "Online"
	}
	return "Away"
}

// states asks what REST says of users.
func (n *node) states(users []string) (map[string]string, error) {
	var out struct {
		QueryResult []struct{ To_Account, State string } //nolint:revive // Tencent's
	}
	all := map[string]string{}
	for some := range slices.Chunk(users, 100) {
		if err := n.rest(ctx, "openim/querystate", map[string]any{"To_Account": some}, &out); err != nil {
			return nil, err
		}
		for _, one := range out.QueryResult {
			all[one.To_Account] = one.State
		}
	}
	return all, nil
}
