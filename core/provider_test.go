package core

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/internal/timtest"
	"github.com/opentim/tim/internal/wire"
)

// A provider is a ticket provider that a test plays.
type provider struct {
	asked chan string // the userID of each call
	serve chan any    // a ticket or an error for each
	alive int         // how many calls run
}

func (p *provider) provide(_ context.Context, user string) (string, error) {
	if p.alive++; p.alive > 1 {
		panic("the provider is asked twice at once")
	}
	defer func() { p.alive-- }()
	p.asked <- user
	switch answer := (<-p.serve).(type) {
	case string:
		return ticket(answer), nil
	case error:
		return "", answer
	}
	return "", nil
}

func (p *provider) isAsked(t *testing.T, want ...string) {
	t.Helper()
	synctest.Wait()
	got := []string{}
	for len(p.asked) > 0 {
		got = append(got, <-p.asked)
	}
	require.Equal(t, append([]string{}, want...), got)
}

func withProvider(life time.Duration) (*provider, func(*timtest.Server, *Options)) {
	p := new(provider)
	return p, func(s *timtest.Server, o *Options) { // in the bubble, where its channels must be made
		p.asked, p.serve = make(chan string, 100), make(chan any)
		s.TicketLife = life
		o.TicketProvider = p.provide
	}
}

func TestTheProviderIsAskedAtFourFifthsOfWhatWasLeft(t *testing.T) {
	p, arrange := withProvider(100 * time.Minute)
	simulate(t, arrange, func(w *world) {
		w.signedIn()
		time.Sleep(80*time.Minute - time.Nanosecond)
		p.isAsked(t)
		time.Sleep(time.Nanosecond)
		p.isAsked(t, "alice")
		time.Sleep(5 * time.Minute)
		w.server.Last().Send(&wire.Ticket{Expires: w.server.Now().UnixMilli()})
		p.isAsked(t)
		p.serve <- "alice2"
		w.tells()
		require.Equal(t, ticket("alice2"), received[wire.Renew](w)[0].Ticket)
		time.Sleep(80 * time.Minute)
		p.isAsked(t, "alice")
		p.serve <- "alice3"
		synctest.Wait()
		require.Len(t, received[wire.Renew](w), 2)
	})
}

func TestAResumeDoesNotPutOffAskingTheProvider(t *testing.T) {
	p, arrange := withProvider(0)
	simulate(t, arrange, func(w *world) {
		ends := time.Now().Add(100 * time.Minute).UnixMilli()
		w.server.OnFrame = func(c *timtest.Conn, f wire.Frame) bool {
			switch f := f.(type) {
			case *wire.Login:
				c.Accept(f.Request, func(a *wire.Accepted) { a.TicketExpires = ends })
			case *wire.Resume:
				c.Accept(f.Request, func(a *wire.Accepted) { a.TicketExpires = ends })
			}
			return true
		}
		w.signedIn()
		time.Sleep(79 * time.Minute)
		w.server.Last().Drop()
		time.Sleep(time.Minute - time.Nanosecond)
		require.Contains(t, w.told(), comesUp)
		p.isAsked(t)
		time.Sleep(time.Nanosecond)
		p.isAsked(t, "alice")
		p.serve <- errors.New("over")
	})
}

func TestAProviderThatFailsIsAskedAgain(t *testing.T) {
	p, arrange := withProvider(100 * time.Minute)
	simulate(t, arrange, func(w *world) {
		w.signedIn()
		time.Sleep(80 * time.Minute)
		p.isAsked(t, "alice")
		for _, bad := range []any{errors.New("the backend is down"), nil, "alice1"} { // nil is the empty ticket, alice1 the running one
			p.serve <- bad
			synctest.Wait()
			p.isAsked(t)
			time.Sleep(2 * time.Minute) // a tenth of the 20 minutes that are left
			p.isAsked(t, "alice")
		}
		require.Empty(t, received[wire.Renew](w))
		p.serve <- "alice2"
		synctest.Wait()
		require.Len(t, received[wire.Renew](w), 1)
		w.tells()
	})
}

func TestAProvidedTicketThatTheServerRefusesIsFollowedByAnother(t *testing.T) {
	p, arrange := withProvider(100 * time.Minute)
	simulate(t, arrange, func(w *world) {
		w.signedIn()
		w.server.OnFrame = func(c *timtest.Conn, f wire.Frame) bool {
			renew, isRenew := f.(*wire.Renew)
			if isRenew && renew.Ticket == ticket("bad") {
				c.Send(&wire.Reply{Request: renew.Request, Code: codes.TicketKeyMismatch})
				return true
			}
			return false
		}
		time.Sleep(80 * time.Minute)
		p.serve <- "bad"
		time.Sleep(2 * time.Minute)
		p.isAsked(t, "alice", "alice")
		p.serve <- "alice2"
		synctest.Wait()
		require.Len(t, received[wire.Renew](w), 2)
		require.Equal(t, codes.LoggedIn, w.Status())
	})
}

func TestATicketProvidedForThePreviousUserIsDropped(t *testing.T) {
	p, arrange := withProvider(100 * time.Minute)
	simulate(t, arrange, func(w *world) {
		w.signedIn()
		time.Sleep(80 * time.Minute)
		p.isAsked(t, "alice") // and takes its time
		w.logIn("bob", "bob1")
		time.Sleep(80 * time.Minute)
		p.isAsked(t) // never twice at once
		p.serve <- "alice2"
		p.isAsked(t, "bob")
		require.Empty(t, received[wire.Renew](w))
		p.serve <- "bob2"
		synctest.Wait()
		require.Equal(t, ticket("bob2"), received[wire.Renew](w)[0].Ticket)
	})
}

func TestATicketThatIsNotWantedAnyMoreIsDropped(t *testing.T) {
	var ended context.Context
	p, arrange := withProvider(100 * time.Minute)
	simulate(t, func(s *timtest.Server, o *Options) {
		arrange(s, o)
		o.TicketProvider = func(ctx context.Context, user string) (string, error) {
			ended = ctx
			return p.provide(ctx, user)
		}
	}, func(w *world) {
		w.signedIn()
		time.Sleep(80 * time.Minute)
		p.isAsked(t, "alice")
		require.NoError(t, ended.Err())
		require.NoError(t, w.Renew(w.t.Context(), ticket("alice2")), "the application was faster")
		require.Error(t, ended.Err(), "the provider can stop")
		p.serve <- "alice3"
		synctest.Wait()
		require.Len(t, received[wire.Renew](w), 1)

		time.Sleep(80 * time.Minute)
		p.isAsked(t, "alice")
		require.NoError(t, w.Logout(w.t.Context()))
		require.Error(t, ended.Err())
		p.serve <- "alice4"
		synctest.Wait()
		require.Equal(t, codes.LoggedOut, w.Status())
	})
}

func TestATicketProvidedWhileAwayBringsTheSessionBackAfterTheOldOneEnded(t *testing.T) {
	p, arrange := withProvider(time.Hour)
	simulate(t, arrange, func(w *world) {
		w.signedIn()
		w.server.OnFrame = func(c *timtest.Conn, f wire.Frame) bool {
			if resume, ok := f.(*wire.Resume); ok {
				c.Refuse(resume.Request, codes.TicketExpired, 0)
				return true
			}
			return false
		}
		w.server.Last().Send(&wire.Bye{Action: codes.ByeResume, RetryAfter: (2 * time.Hour).Milliseconds()})
		time.Sleep(time.Hour)
		p.isAsked(t, "alice")
		p.serve <- "alice2"
		time.Sleep(time.Hour)
		w.tells("disconnected Disconnected", comesUp)
		login := received[wire.Login](w)[1]
		require.Equal(t, ticket("alice2"), login.Ticket)
		require.True(t, login.Reconnect)
		w.server.OnFrame = nil
	})
}
