package webhook

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/server"
)

func TestARequestHasTencentsFieldsAndOurs(t *testing.T) {
	b := newBackend(t, nil)
	w, _ := open(t, file(t), b.URL+"/hook?tenant=7")
	w.Changed(login("alice", 5, codes.PlatformWindows, codes.PlatformIOS))
	lost := login("alice", 6)
	lost.Action, lost.Sessions[0].AwayUntil = server.LinkClosed, time.UnixMilli(1_700_000_120_000)
	w.Changed(lost)
	out := login("alice", 7)
	out.Action, out.Sessions = server.LoggedOut, nil
	w.Changed(out)
	drained(t, w)

	got := b.bodies()
	require.Len(t, got, 3)
	one := session{
		Session: "s", Instance: "i", Platform: "Android", Status: "Online", LoginSeq: 1_700_000_000_000_000, LoginTimeMs: 1_700_000_000_000,
	}
	require.Equal(t, body{
		CallbackCommand: "State.StateChange", EventTime: 1_700_000_000_123, Info: info{"Login", "alice", "Register"},
		KickedDevice: []device{{"Windows"}, {"iOS"}}, Revision: 5, Sessions: []session{one},
	}, got[0])
	require.Equal(t, info{"Disconnect", "alice", "LinkClose"}, got[1].Info)
	require.Equal(t, "Away", got[1].Sessions[0].Status)
	require.Equal(t, int64(1_700_000_120_000), got[1].Sessions[0].AwayUntilMs)
	require.Equal(t, info{"Logout", "alice", "Unregister"}, got[2].Info)
	require.NotNil(t, got[2].Sessions, "nobody is an empty list")

	q := b.queries[0]
	require.Equal(t, "1400000001", q.Get("SdkAppid"))
	require.Equal(t, "State.StateChange", q.Get("CallbackCommand"))
	require.Equal(t, "json", q.Get("contenttype"))
	require.Equal(t, "203.0.113.9", q.Get("ClientIP"))
	require.Equal(t, "Android", q.Get("OptPlatform"))
	require.Equal(t, "7", q.Get("tenant"))
	require.Equal(t, sign(token, q.Get("RequestTime")), q.Get("Sign"))
}

func TestSignIsTheHashOfTokenAndTime(t *testing.T) {
	require.Equal(t, "e78a85473bed2cdc8d6fa8c4d5a4ba4735fd64156e15a99516b9890293e135de", sign("xxxyyy", "1669872112"))
	unsigned, err := Receiver{URL: "https://app.example"}.address(1, message{}, time.Unix(1669872112, 0))
	require.NoError(t, err)
	require.NotContains(t, unsigned, "Sign")
	signed, err := Receiver{URL: "https://app.example", Token: "xxxyyy"}.address(1, message{}, time.Unix(1669872112, 0))
	require.NoError(t, err)
	require.Contains(t, signed, "RequestTime=1669872112&SdkAppid=1&Sign=e78a85473bed")
}

func TestTheChangesOfAUserComeInOrderAndOneAtATime(t *testing.T) {
	const users, each = 40, 25
	var n atomic.Int64
	b := newBackend(t, func(w http.ResponseWriter, _ *http.Request, _ body) {
		time.Sleep(time.Millisecond)
		if n.Add(1)%17 == 0 {
			http.Error(w, "broken", http.StatusInternalServerError)
			return
		}
		fmt.Fprint(w, ok)
	})
	w, _ := open(t, file(t), b.URL, func(o *Options) { o.Workers = 8 })
	var all sync.WaitGroup
	for u := range users {
		all.Go(func() {
			for i := range each {
				w.Changed(login(fmt.Sprint("user", u), uint64(i+1)))
			}
		})
	}
	all.Wait()
	eventually(t, func() bool { return w.Stats().Delivered == users*each }, "all are delivered")
	drained(t, w)
	for u := range users {
		got := b.revisions(fmt.Sprint("user", u))
		require.True(t, slices.IsSorted(got), "%v", got)
		require.Len(t, slices.Compact(got), each)
	}
	require.False(t, b.overlap)
	require.Greater(t, b.most, 1, "users do not wait for each other")
	require.LessOrEqual(t, b.most, 8)
	require.NotZero(t, w.Stats().Failed)
	require.Zero(t, w.Stats().Dropped)
}

func TestWhatGoesWrongIsTriedAgain(t *testing.T) {
	for _, c := range []struct {
		name  string
		wrong func(w http.ResponseWriter, r *http.Request)
	}{
		{"a server error", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }},
		{"a plea to wait", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTooManyRequests) }},
		{"a redirect", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		}},
		{"garbage", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>welcome</html>") }},
		{"nothing", func(http.ResponseWriter, *http.Request) {}},
		{"a failure in Tencent's words", func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, `{"ActionStatus":"FAIL","ErrorCode":1,"ErrorInfo":"no"}`)
		}},
		{"an OK with a code", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"ActionStatus":"OK","ErrorCode":1}`) }},
		{"a time-out", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }},
		{"a closed connection", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			var n atomic.Int64
			b := newBackend(t, func(w http.ResponseWriter, r *http.Request, _ body) {
				if n.Add(1) <= 2 {
					c.wrong(w, r)
					return
				}
				fmt.Fprint(w, ok)
			})
			w, _ := open(t, file(t), b.URL, func(o *Options) {
				if c.name == "a time-out" {
					o.Receivers = map[uint64]Receiver{app: {URL: b.URL, Timeout: 2 * time.Second}}
				}
			})
			w.Changed(login("alice", 1))
			w.Changed(login("alice", 2))
			eventually(t, func() bool { return w.Stats().Delivered == 2 }, "both are delivered")
			require.Equal(t, []uint64{1, 1, 1, 2}, b.revisions("alice"))
			require.Equal(t, uint64(2), w.Stats().Failed)
		})
	}
}

func TestAChangeThatIsRefusedAgainAndAgainIsGivenUp(t *testing.T) {
	b := newBackend(t, func(w http.ResponseWriter, _ *http.Request, in body) {
		if in.Revision == 1 {
			fmt.Fprint(w, `{"ActionStatus":"FAIL","ErrorCode":1,"ErrorInfo":"never"}`)
			return
		}
		fmt.Fprint(w, ok)
	})
	w, log := open(t, file(t), b.URL, func(o *Options) { o.Refusals = 3 })
	w.Changed(login("alice", 1))
	w.Changed(login("alice", 2))
	eventually(t, func() bool { return w.Stats().Delivered == 1 }, "the next one is delivered")
	require.Equal(t, []uint64{1, 1, 1, 2}, b.revisions("alice"))
	require.Equal(t, uint64(1), w.Stats().Dropped)
	require.Contains(t, log.String(), "refused too often")
	drained(t, w)
}

func TestAChangeThatBreaksTheReceiverIsGivenUpWhileOthersGetThrough(t *testing.T) {
	b := newBackend(t, func(w http.ResponseWriter, _ *http.Request, in body) {
		if in.Info.ToAccount == "poison" {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		fmt.Fprint(w, ok)
	})
	w, _ := open(t, file(t), b.URL, func(o *Options) { o.Refusals, o.RetryMax = 1, time.Millisecond })
	w.Changed(login("poison", 1))
	var i uint64
	eventually(t, func() bool {
		i++
		w.Changed(login("alice", i))
		return w.Stats().Dropped == 1
	}, "it is given up")
	require.Greater(t, len(b.revisions("poison")), refusalStrikes)
}

func TestADeadReceiverNeverSlowsALogin(t *testing.T) {
	dead, err := net.Listen("tcp", "127.0.0.1:0") // takes connections and says nothing
	require.NoError(t, err)
	defer dead.Close()
	w, log := open(t, file(t), "http://"+dead.Addr().String(), func(o *Options) {
		o.Queue, o.Receivers = 500, map[uint64]Receiver{app: {URL: "http://" + dead.Addr().String()}}
	})
	slow := 0
	for i := range 5000 {
		began := time.Now()
		w.Changed(login(fmt.Sprint("user", i%100), uint64(i)))
		if time.Since(began) > time.Second { // a request takes 2 s to fail
			slow++
		}
	}
	require.Less(t, slow, 5, "as many as a busy machine may hold up")
	eventually(t, func() bool { s := w.Stats(); return s.Waiting == 500 && s.Dropped == 4500 }, "the newest 500 wait")
	require.Equal(t, 1, strings.Count(log.String(), "the queue is full"))
}

func TestAFullBufferDropsTheNewestAndSaysSoOnce(t *testing.T) {
	var b buffer
	b.some = make(chan struct{}, 1)
	firsts := 0
	for i := range bufferMax + 10 {
		ok, first := b.add(login("alice", uint64(i)))
		require.Equal(t, i < bufferMax, ok)
		if first {
			firsts++
		}
	}
	require.Equal(t, 1, firsts)
	changes, _, _ := b.peek()
	require.Len(t, changes, writeBatch)
	require.Zero(t, changes[0].Revision)
}

func TestTheOldestGoWhenTheQueueIsFull(t *testing.T) {
	path := file(t)
	w, _ := open(t, path, "http://127.0.0.1:1", func(o *Options) { o.Queue = 10 })
	for i := range 25 {
		w.Changed(login("alice", uint64(i+1)))
	}
	eventually(t, func() bool { return w.Stats().Dropped == 15 }, "15 are dropped")
	require.NoError(t, w.Close())

	b := newBackend(t, nil)
	w, _ = open(t, path, b.URL)
	drained(t, w)
	require.Equal(t, []uint64{16, 17, 18, 19, 20, 21, 22, 23, 24, 25}, b.revisions("alice"))
}

func TestOneAppsReceiverDoesNotHoldUpAnothers(t *testing.T) {
	b := newBackend(t, nil)
	path := file(t)
	w, _ := open(t, path, b.URL, func(o *Options) { o.Receivers[2] = Receiver{URL: "http://127.0.0.1:1"} })
	for i := range 2 * window {
		c := login(fmt.Sprint("user", i), 1)
		c.Key.App = 2
		w.Changed(c)
	}
	w.Changed(login("alice", 1))
	stranger := login("alice", 1)
	stranger.Key.App = 3 // has no receiver
	w.Changed(stranger)
	eventually(t, func() bool { return w.Stats().Delivered == 1 }, "alice's is delivered")
	eventually(t, func() bool { return w.Stats().Waiting == 2*window }, "the other app's wait")
	require.NoError(t, w.Close())
	w, _ = open(t, path, b.URL) // app 2 has no receiver any more
	require.Zero(t, w.Stats().Waiting)
}

func TestTheCertificateOfAReceiverIsChecked(t *testing.T) {
	b := &backend{busy: make(map[string]bool)}
	b.Server = httptest.NewUnstartedServer(b)
	b.Config.ErrorLog = log.New(io.Discard, "", 0)
	b.StartTLS()
	defer b.Close()
	path := file(t)
	w, said := open(t, path, b.URL)
	w.Changed(login("alice", 1))
	eventually(t, func() bool { return w.Stats().Failed > 0 }, "the first try fails")
	require.Contains(t, said.String(), "certificate")
	require.Empty(t, b.bodies())
	require.NoError(t, w.Close())

	roots := x509.NewCertPool()
	roots.AddCert(b.Certificate())
	w, _ = open(t, path, b.URL, func(o *Options) { o.TLS = &tls.Config{RootCAs: roots} })
	drained(t, w)
	require.Equal(t, []uint64{1}, b.revisions("alice"))
}

func TestCheckURL(t *testing.T) {
	for _, c := range []struct {
		url      string
		insecure bool
		wrong    string
	}{
		{"https://app.example/hook?a=b", false, ""},
		{"http://127.0.0.1:8080/hook", false, ""},
		{"http://localhost", false, ""},
		{"http://[::1]:80/", false, ""},
		{"http://app.example/hook", false, "use https"},
		{"http://app.example/hook", true, ""},
		{"http://127.0.0.1.app.example/", false, "use https"},
		{"https://user:hush@app.example/", true, "give a token"},
		{"ftp://app.example/", true, "scheme"},
		{"app.example/hook", true, "no URL"},
		{"https://", true, "no URL"},
		{"", true, "no URL"},
	} {
		err := CheckURL(c.url, c.insecure)
		if c.wrong == "" {
			require.NoError(t, err, c.url)
		} else {
			require.ErrorContains(t, err, c.wrong, c.url)
			require.NotContains(t, err.Error(), "hush")
		}
	}
}

func TestTheQueueBelongsToOneProcessAndToItsOwner(t *testing.T) {
	path := file(t)
	open(t, path, "http://127.0.0.1:1")
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	_, err = Open(context.Background(), Options{Path: path, Receivers: map[uint64]Receiver{app: {URL: "https://a"}}})
	require.ErrorContains(t, err, "locked")
}
