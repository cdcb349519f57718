// Command core is the conformance driver of the Go API: it turns lines of its input into calls, and prints one line for
// each event and each answer. conformance/README.md lists the lines.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/core"
)

// A driver owns one client at a time. Commands come from the input, and from inside the listener where upon says so.
type driver struct {
	client  *core.Client
	tickets chan string // answers for the ticket provider; "" is none

	mu   sync.Mutex
	line string   // when this is heard,
	then []string // this is done, inside the listener
}

func main() {
	d := &driver{client: new(core.Client), tickets: make(chan string)}
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		d.do(strings.Split(in.Text(), "\t"))
		fmt.Println(".")
	}
}

func (d *driver) do(words []string) {
	verb, args := words[0], append(words[1:], "", "")
	switch verb {
	case "open":
		d.open(words[1:])
	case "login":
		d.started("login "+args[0], d.client.StartLogin(args[0], args[1], func(r core.LoginResult, err error) {
			d.hear(loginAnswer(args[0], r, err))
		}))
	case "logout":
		d.started("logout", d.client.StartLogout(func(err error) { d.hear("logout " + name(err)) }))
	case "renew":
		d.started("renew", d.client.StartRenew(args[0], func(err error) { d.hear("renew " + name(err)) }))
	case "provide":
		d.tickets <- args[0]
	case "wake":
		d.client.Wake()
	case "background":
		d.client.SetBackground(args[0] == "yes")
	case "status":
		s := d.client.Snapshot()
		fmt.Printf("status %s ready=%v user=%s\n", s.Status, s.Ready, s.User)
	case "time":
		if at, known := d.client.ServerTime(); known {
			fmt.Printf("time at=%d\n", at.UnixMilli())
		} else {
			fmt.Println("time unknown")
		}
	case "upon":
		d.mu.Lock()
		d.line, d.then = args[0], words[2:]
		d.mu.Unlock()
	case "close":
		d.client.Close()
		fmt.Println("close done")
	default:
		panic("no such command: " + verb)
	}
}

func (d *driver) open(settings []string) {
	o := core.Options{Listener: func(e core.Event) { d.hear(words(e)) }}
	for _, setting := range settings {
		key, value, _ := strings.Cut(setting, "=")
		switch key {
		case "url":
			o.URL = value
		case "app":
			_, _ = fmt.Sscan(value, &o.App)
		case "platform":
			o.Platform, _ = codes.ParsePlatform(value)
		case "label":
			o.Label = value
		case "instance":
			o.Instance = value
		case "login_timeout":
			o.LoginTimeout, _ = time.ParseDuration(value + "ms")
		case "logout_timeout":
			o.LogoutTimeout, _ = time.ParseDuration(value + "ms")
		case "provider":
			o.TicketProvider = d.provide
		default:
			panic("no such setting: " + setting)
		}
	}
	c, err := core.Open(o)
	if err == nil {
		d.client = c
	}
	fmt.Println("open " + name(err))
}

func (d *driver) provide(_ context.Context, user string) (string, error) {
	fmt.Println("ticket_wanted " + user)
	ticket := <-d.tickets
	if ticket == "" {
		return "", errors.New("there is none")
	}
	return ticket, nil
}

// started prints a call that failed at once; otherwise its answer comes.
func (d *driver) started(what string, err error) {
	if err != nil {
		fmt.Println(what + " " + name(err))
	}
}

// hear runs in the listener.
func (d *driver) hear(line string) {
	fmt.Println(line)
	d.mu.Lock()
	then := d.then
	if line != d.line || then == nil {
		d.mu.Unlock()
		return
	}
	d.then = nil
	d.mu.Unlock()
	d.do(then)
}

func loginAnswer(user string, r core.LoginResult, err error) string {
	line := "login " + user + " " + name(err)
	if err != nil {
		return line
	}
	if r.Repeat {
		line += " repeat"
	}
	return fmt.Sprintf("%s session=%s at=%d", line, r.Session, millis(r.TicketExpires))
}

func words(e core.Event) string {
	switch e.Kind {
	case codes.EventConnected:
		if e.Resumed {
			return "connected resumed"
		}
		return "connected first"
	case codes.EventLoginStatus:
		return e.Status.String()
	case codes.EventReady:
		return fmt.Sprintf("ready %v", e.Ready)
	case codes.EventDisconnected, codes.EventUserSigExpired, codes.EventClosed:
		return e.Kind.String() + " " + e.Code.Name()
	case codes.EventUserSigWillExpire:
		return fmt.Sprintf("%s at=%d", e.Kind, millis(e.At))
	case codes.EventKickedOffline:
		k := e.Kick
		return fmt.Sprintf("%s %s reason=%s by=%s at=%d label=%s", e.Kind, e.Code.Name(), k.Reason, k.ByPlatform, millis(k.At), k.ByLabel)
	}
	return e.Kind.String()
}

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func name(err error) string {
	code := codes.OK
	if err != nil && !errors.As(err, &code) {
		return err.Error()
	}
	return code.Name()
}
