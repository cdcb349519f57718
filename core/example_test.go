package core_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/core"
	"github.com/opentim/tim/internal/timtest"
	"github.com/opentim/tim/internal/wire"
)

// The examples talk to a server in memory. Without NetDial they would talk to the one that URL names.
var server timtest.Server

func Example() {
	client, err := core.Open(core.Options{
		URL:      "ws://127.0.0.1:7700",
		App:      1400000001,
		Platform: codes.PlatformLinux,
		Listener: func(e core.Event) {
			switch e.Kind {
			case codes.EventConnected:
				fmt.Println("connected, again:", e.Resumed)
			case codes.EventLoginStatus:
				fmt.Println("status:", e.Status)
			case codes.EventKickedOffline:
				fmt.Println("signed in elsewhere, on", e.Kick.ByPlatform)
			}
		},
		NetDial: server.NetDial,
	})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	ctx := context.Background()
	if _, err := client.Login(ctx, "alice", "the ticket that your backend signed for alice"); err != nil {
		log.Fatal(err)
	}
	fmt.Println("logged in:", client.User())
	if err := client.Logout(ctx); err != nil {
		log.Fatal(err)
	}
	// Output:
	// status: logging_in
	// connected, again: false
	// status: logged_in
	// logged in: alice
	// status: logged_out
}

func ExampleClient_Login() {
	server := timtest.Server{OnFrame: func(c *timtest.Conn, f wire.Frame) bool {
		c.Refuse(f.(*wire.Login).Request, codes.TicketExpired, 0)
		return true
	}}
	client, err := core.Open(core.Options{
		URL: "ws://127.0.0.1:7700", App: 1400000001, Platform: codes.PlatformLinux, NetDial: server.NetDial,
	})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	_, err = client.Login(context.Background(), "alice", "a ticket of last year")
	switch {
	case errors.Is(err, codes.TicketExpired), errors.Is(err, codes.UserSigExpired):
		fmt.Println("ask the backend for a new ticket:", err)
	case err != nil:
		fmt.Println("cannot log in:", err)
	}
	// Output:
	// ask the backend for a new ticket: login alice: the ticket is expired (70001)
}

func ExampleClient_StartLogin() {
	client, err := core.Open(core.Options{
		URL: "ws://127.0.0.1:7700", App: 1400000001, Platform: codes.PlatformLinux, NetDial: server.NetDial,
	})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	answered := make(chan struct{})
	err = client.StartLogin("alice", "the ticket that your backend signed for alice", func(_ core.LoginResult, err error) {
		fmt.Println("answer:", err, client.Status())
		close(answered)
	})
	if err != nil {
		log.Fatal(err) // a mistake in the arguments: there will be no answer
	}
	<-answered
	// Output:
	// answer: <nil> logged_in
}

// A provider makes the end of a ticket invisible: it is asked in good time for a new one.
func ExampleOptions_ticketProvider() {
	renewed := make(chan string)
	server := timtest.Server{TicketLife: 100 * time.Millisecond, OnFrame: func(_ *timtest.Conn, f wire.Frame) bool {
		if f, ok := f.(*wire.Renew); ok {
			renewed <- f.Ticket
		}
		return false
	}}
	client, err := core.Open(core.Options{
		URL: "ws://127.0.0.1:7700", App: 1400000001, Platform: codes.PlatformLinux, NetDial: server.NetDial,
		TicketProvider: func(ctx context.Context, userID string) (string, error) {
			return "a fresh ticket for " + userID, nil // ask your backend here, until ctx ends
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	if _, err := client.Login(context.Background(), "alice", "the first ticket"); err != nil {
		log.Fatal(err)
	}
	fmt.Println("the server got", <-renewed)
	// Output:
	// the server got a fresh ticket for alice
}
