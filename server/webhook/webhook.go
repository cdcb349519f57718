package webhook

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/opentim/tim/server"
)

// A Receiver is where the changes of an app go.
type Receiver struct {
	URL     string        // see CheckURL
	Token   string        // signs requests; empty means that they are not signed
	Timeout time.Duration // for one request; zero means 2 s
}

// Options say where changes go and how many may wait. Path and Receivers are required.
type Options struct {
	Path      string // of the file with the queue; made if it is not there, readable by its owner only
	Receivers map[uint64]Receiver
	// Queue is how many changes of an app may wait: the oldest are dropped for the newest. Zero means 100,000, which take
	// about 100 MB.
	Queue int
	// Remember says that what each user was last told to have is kept on disk, so that after a restart a node finds what it was
	// about to tell when it was killed. It is for a node that is alone: others would tell what this one does not hear of.
	Remember bool
	// Workers is how many requests to a receiver run at a time. Zero means 16.
	Workers int
	// RetryMin and RetryMax bound the time until the next try, which doubles and of which a random part is waited. Zero means
	// 200 ms and 30 s.
	RetryMin, RetryMax time.Duration
	// Refusals is how often a receiver may answer a change with anything but OK, a server error or a plea to wait, until
	// that change is given up. Zero means 10. Ten times as often it may fail otherwise while other changes get through. While
	// none does, changes are tried for as long as they are in the queue.
	Refusals int

	AllowInsecure bool        // http beyond this machine
	TLS           *tls.Config // nil means the system's authorities
	Logger        *slog.Logger
}

func (o Options) withDefaults() Options {
	o.Queue = cmp.Or(o.Queue, 100_000)
	o.Workers = cmp.Or(o.Workers, 16)
	o.RetryMin = cmp.Or(o.RetryMin, 200*time.Millisecond)
	o.RetryMax = cmp.Or(o.RetryMax, 30*time.Second)
	o.Refusals = cmp.Or(o.Refusals, 10)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

// Stats count since Open.
type Stats struct {
	Waiting   int    // on disk now
	Delivered uint64 // the receiver said OK
	Failed    uint64 // requests that went wrong; most are repeated
	Dropped   uint64 // the queue was full, or the receiver refused them too often
}

// A Webhook delivers changes. Its methods may be called from any goroutine.
type Webhook struct {
	o         Options
	log       *slog.Logger
	queue     *queue
	buffer    buffer
	client    *http.Client
	receivers map[uint64]*receiver // never changes

	delivered, failed, dropped atomic.Uint64

	stop    context.CancelFunc // of the receivers
	sending sync.WaitGroup
	writing sync.WaitGroup
	closed  sync.Once
}

var _ server.Recorder = (*Webhook)(nil)

// Open opens the queue and begins to deliver what is in it. One process at a time can have it open.
func Open(ctx context.Context, o Options) (*Webhook, error) {
	for app, r := range o.Receivers {
		if err := CheckURL(r.URL, o.AllowInsecure); err != nil {
			return nil, fmt.Errorf("webhook of app %d: %w", app, err)
		}
	}
	if o.Queue < 0 || o.Workers < 0 || o.Refusals < 0 || o.RetryMin < 0 || o.RetryMax < o.RetryMin {
		return nil, errors.New("webhook: numbers and times must not be negative")
	}
	w := &Webhook{o: o.withDefaults(), receivers: make(map[uint64]*receiver)}
	w.log = w.o.Logger
	w.client = newClient(w.o)
	w.buffer.some = make(chan struct{}, 1)
	apps := make([]uint64, 0, len(o.Receivers))
	for app := range o.Receivers {
		apps = append(apps, app)
	}
	var err error
	if w.queue, err = openQueue(ctx, o.Path, w.o.Queue, w.o.Remember, apps); err != nil {
		return nil, fmt.Errorf("webhook: open %s: %w", o.Path, err)
	}
	sending, stop := context.WithCancel(context.WithoutCancel(ctx))
	w.stop = stop
	for app, to := range o.Receivers {
		to.Timeout = cmp.Or(to.Timeout, 2*time.Second)
		r := newReceiver(w, app, to)
		w.receivers[app] = r
		w.sending.Go(func() { r.run(sending) })
	}
	w.writing.Go(w.write)
	return w, nil
}

// Changed implements server.Observer.
func (w *Webhook) Changed(c server.Change) {
	if w.receivers[c.Key.App] == nil {
		return
	}
	ok, first := w.buffer.add(c)
	if !ok {
		w.dropped.Add(1)
	}
	if first {
		w.log.Error("webhook: changes come faster than the disk takes them; the newest are dropped until it has caught up")
	}
}

// Stats returns what was counted so far.
func (w *Webhook) Stats() Stats {
	return Stats{Waiting: w.queue.len(), Delivered: w.delivered.Load(), Failed: w.failed.Load(), Dropped: w.dropped.Load()}
}

// Close stops delivering, writes to disk what is in memory, and closes the queue. What waits is delivered after the next
// Open. Changed must not be called after it.
func (w *Webhook) Close() (err error) {
	w.closed.Do(func() {
		w.stop()
		w.sending.Wait()
		w.buffer.close()
		w.writing.Wait()
		w.client.CloseIdleConnections()
		err = w.queue.close()
	})
	return err
}

// CheckURL refuses what cannot be a receiver: it must be https, or http on this machine, or http anywhere if insecure is
// set. A password in it is refused, because URLs are logged and shown; what proves us to a receiver is Receiver.Token.
func CheckURL(raw string, insecure bool) error {
	u, err := url.Parse(raw)
	switch {
	case err != nil || u.Host == "" || u.Opaque != "" || u.Fragment != "":
		return errors.New("this is no URL such as https://app.example.com/tim")
	case u.User != nil:
		return errors.New("a URL with a password is shown in logs: give a token instead")
	case u.Scheme == "https", u.Scheme == "http" && (insecure || loopback(u.Hostname())):
		return nil
	case u.Scheme == "http":
		return fmt.Errorf("http to %s would show everybody on the way who is online: use https, or say allow_insecure", u.Hostname())
	}
	return fmt.Errorf("the scheme is %q and not https", u.Scheme)
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}
