package core

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/internal/timtest"
	"github.com/opentim/tim/internal/wire"
)

// A session that the server ends is told once, with the reason, and does not come back.

func TestASessionThatEndedWhileAwayIsToldOnReturnAndNotLoggedInAgain(t *testing.T) {
	at := time.UnixMilli(1_700_000_000_000)
	for _, tt := range []struct {
		refused wire.Refused
		want    string
	}{
		{wire.Refused{Code: codes.KickedOffline, Reason: codes.KickMultipleDevice, ByPlatform: codes.PlatformIOS, ByLabel: "Bob's phone", At: at.UnixMilli()},
			`kicked_offline KickedOffline multiple_device by ios "Bob's phone"`},
		{wire.Refused{Code: codes.TicketExpired}, "user_sig_expired TicketExpired"},
		{wire.Refused{Code: codes.UserSigExpired}, "user_sig_expired UserSigExpired"},
		{wire.Refused{Code: codes.TicketRevoked}, "user_sig_expired TicketRevoked"},
		{wire.Refused{Code: codes.AccountBanned}, `kicked_offline AccountBanned 0 by 0 ""`},
	} {
		simulate(t, nil, func(w *world) {
			w.signedIn()
			w.server.OnFrame = func(c *timtest.Conn, f wire.Frame) bool {
				no := tt.refused
				no.Request = f.(*wire.Resume).Request
				c.Send(&no)
				return true
			}
			w.server.Last().Drop()
			time.Sleep(waitBase)
			w.tells("disconnected Disconnected, connecting", tt.want, signsOut)
			require.Equal(t, codes.LoggedOut, w.Status())
			require.Empty(t, w.User())
			time.Sleep(24 * time.Hour)
			require.Equal(t, 2, w.server.Dials())
			w.signedOutAndIn()
		})
	}
}

func TestAKickIsToldWithReasonAndNewcomer(t *testing.T) {
	at := time.UnixMilli(1_700_000_000_000)
	for _, reason := range []codes.KickReason{
		codes.KickMultipleAccount, codes.KickMultipleDevice, codes.KickRESTAPI, codes.KickReplaced, codes.KickAccountDeleted,
	} {
		simulate(t, nil, func(w *world) {
			var kick Kick
			w.hears = func(e Event) {
				if e.Kind == codes.EventKickedOffline {
					kick = e.Kick
					require.Equal(t, codes.LoggedOut, w.Status(), "the getters know before the event")
				}
			}
			w.signedIn()
			w.server.Last().Send(&wire.Kicked{Reason: reason, Code: codes.KickedOffline, ByPlatform: codes.PlatformMac, ByLabel: "a Mac\xff", At: at.UnixMilli()})
			w.server.Last().Close(codes.KickedOffline.CloseCode(), "")
			w.tells(fmt.Sprintf("kicked_offline KickedOffline %s by mac %q", reason, "a Mac\uFFFD"), signsOut)
			require.Equal(t, Kick{Reason: reason, ByPlatform: codes.PlatformMac, ByLabel: "a Mac\uFFFD", At: at}, kick)
			time.Sleep(24 * time.Hour)
			require.Equal(t, 1, w.server.Dials(), "it never logs in again by itself")
			w.signedOutAndIn()
		})
	}
}

func TestAKickThatOvertakesTheAnswerFailsTheLogin(t *testing.T) {
	simulate(t, func(s *timtest.Server, _ *Options) {
		s.OnFrame = func(c *timtest.Conn, f wire.Frame) bool {
			c.Send(&wire.Kicked{Reason: codes.KickMultipleAccount, Code: codes.KickedOffline})
			c.Accept(f.(*wire.Login).Request)
			return true
		}
	}, func(w *world) {
		w.logIn("alice", "alice1")
		w.tells("logging_in, connecting, logged_out, disconnected OK, login alice KickedOffline")
		time.Sleep(time.Hour)
		require.Equal(t, 1, w.server.Dials())
	})
}

func TestAServerThatSaysStopIsNotAskedAgain(t *testing.T) {
	for _, tt := range []struct {
		name string
		say  func(*timtest.Conn)
		want string
	}{
		{"bye, stop", func(c *timtest.Conn) { c.Send(&wire.Bye{Code: codes.AppForbidden, Action: codes.ByeStop}) },
			`kicked_offline AppForbidden 0 by 0 ""`},
		{"the close code of a kick alone", func(c *timtest.Conn) { c.Close(codes.KickedOffline.CloseCode(), "") },
			`kicked_offline KickedOffline 0 by 0 ""`},
		{"the close code of an expired ticket alone", func(c *timtest.Conn) { c.Close(codes.TicketExpired.CloseCode(), "") },
			"user_sig_expired TicketExpired"},
		{"3500", func(c *timtest.Conn) { c.Close(3500, "") }, `kicked_offline Disconnected 0 by 0 ""`},
		{"3999", func(c *timtest.Conn) { c.Close(3999, "") }, `kicked_offline Disconnected 0 by 0 ""`},
	} {
		simulate(t, nil, func(w *world) {
			w.signedIn()
			tt.say(w.server.Last())
			w.tells(tt.want, signsOut)
			time.Sleep(24 * time.Hour)
			require.Equal(t, 1, w.server.Dials(), tt.name)
		})
		simulate(t, func(s *timtest.Server, _ *Options) { // also before the answer to the login
			s.OnFrame = func(c *timtest.Conn, f wire.Frame) bool { tt.say(c); return true }
		}, func(w *world) {
			w.logIn("alice", "alice1")
			require.Regexp(t, "^logging_in, connecting, logged_out, disconnected OK, login alice [A-Z]", w.told())
			time.Sleep(24 * time.Hour)
			require.Equal(t, 1, w.server.Dials(), tt.name)
		})
	}
}
