// Command demo tells the story of a login with real parts: a server, a program in C, one in Go, and a network that fails.
// ./build.sh demo builds the parts and runs it. It exits with 1 if the story goes another way.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/url"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/core"
	"github.com/opentim/tim/usersig"
)

// patience bounds each step of the story: only what hangs takes so long. It is no pause: a step ends when what it waits for happens.
const patience = 2 * time.Minute

func main() {
	timd := flag.String("timd", "build/bin/timd", "the server")
	login := flag.String("login", "build/examples/c-login", "examples/c/login.c, built")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := tell(ctx, *timd, *login); err != nil {
		fmt.Fprintln(os.Stderr, "\ndemo: the story went another way:", err)
		os.Exit(1)
	}
}

func tell(ctx context.Context, timdPath, loginPath string) (err error) {
	dir, err := os.MkdirTemp("", "tim-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)

	chapter("A server starts. It needs no configuration: timd dev")
	timd, dev, err := startServer(ctx, timdPath, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, timd.end(syscall.SIGTERM)) }()
	say("timd", fmt.Sprintf("listens at %s, serves SDKAppID %d", dev.Endpoint, dev.App))

	chapter("A C program logs alice in, as a Linux desktop, through libtim")
	ticket, err := usersig.Sign(dev.App, dev.key, "alice", time.Hour)
	if err != nil {
		return err
	}
	c, err := start(ctx, "C", loginPath, dev.Endpoint, fmt.Sprint(dev.App), "alice", ticket)
	if err != nil {
		return err
	}
	defer c.kill()
	if err := c.says("logged in"); err != nil {
		return err
	}

	chapter("A Go program logs alice in, as an iPhone. The policy allows one of the two")
	network, err := openNetwork(dev.Endpoint)
	if err != nil {
		return err
	}
	defer network.cut()
	events := make(chan core.Event, 64)
	client, err := core.Open(core.Options{
		URL: network.endpoint, App: dev.App, Platform: codes.PlatformIOS, Label: "Alice's iPhone",
		Listener: func(e core.Event) { events <- e },
	})
	if err != nil {
		return err
	}
	defer client.Close()
	phone := listener{events}
	result, err := client.Login(ctx, "alice", ticket)
	if err != nil {
		return err
	}
	if _, err := phone.hears(codes.EventConnected); err != nil {
		return err
	}
	say("Go", "logged in as "+client.User()+"; the ticket ends in "+time.Until(result.TicketExpires).Round(time.Minute).String())
	if err := c.says("kicked"); err != nil {
		return err
	}
	if err := c.end(syscall.SIGINT); err != nil {
		return err
	}

	chapter("The network fails, and comes back after a second")
	network.cut()
	if _, err := phone.hears(codes.EventDisconnected); err != nil {
		return err
	}
	say("Go", "the connection is lost; logged in all the same: "+client.Status().String())
	time.Sleep(time.Second) // a network that is away for a moment: nothing is waited for here
	if err := network.mend(); err != nil {
		return err
	}
	if e, err := phone.hears(codes.EventConnected); err != nil {
		return err
	} else if !e.Resumed {
		return errors.New("the session did not come back, it was logged in anew")
	}
	say("Go", "back by itself, without a new login; nobody was kicked")

	chapter("A login that cannot work says why")
	_, err = client.Login(ctx, "bob", ticket)
	if !errors.Is(err, codes.TicketUserMismatch) {
		return fmt.Errorf("bob with alice's ticket: got %v, want %w", err, codes.TicketUserMismatch)
	}
	say("Go", "bob with alice's ticket: "+codes.TicketUserMismatch.Error())
	if _, err := client.Login(ctx, "alice", ticket); err != nil {
		return err
	}

	chapter("alice logs out")
	if err := client.Logout(ctx); err != nil {
		return err
	}
	say("Go", "logged out; status "+client.Status().String())
	fmt.Println("\ndemo: the story ended well")
	return nil
}

func chapter(title string) { fmt.Printf("\n%s\n", title) }

func say(who, what string) { fmt.Printf("  %-5s %s\n", who, what) }

// A listener waits for events of the Go client.
type listener struct{ events <-chan core.Event }

// hears returns the next event of the wanted kind.
func (l listener) hears(want codes.EventKind) (core.Event, error) {
	late := time.After(patience)
	for {
		select {
		case e := <-l.events:
			switch {
			case e.Kind == want:
				return e, nil
			case e.Kind == codes.EventKickedOffline:
				return e, fmt.Errorf("the Go program was kicked: %s", e.Kick.Reason)
			}
		case <-late:
			return core.Event{}, fmt.Errorf("no event %q within %s", want, patience)
		}
	}
}

// replaceHost returns endpoint with another host and port.
func replaceHost(endpoint, host string) (string, error) {
	u, err := url.Parse(endpoint)
	if err != nil {
		return "", err
	}
	u.Host = host
	return u.String(), nil
}
