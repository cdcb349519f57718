// Command dialer is what a login through libtim is measured against: it connects with bare gorilla, sends one frame of the
// size of a login and reads its echo, COUNT times, and prints two medians:
//
//	dial VALUE us       in one goroutine
//	handed VALUE us     asked for on one thread, done by a goroutine, and answered on another thread, as every C interface
//	                    must that neither blocks its caller nor answers on the caller's thread
//
// Usage: dialer URL COUNT
package main

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"time"

	"github.com/gorilla/websocket"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/internal/wire"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: dialer URL COUNT")
		os.Exit(2)
	}
	count, err := strconv.Atoi(os.Args[2])
	if err == nil {
		err = measure(os.Args[1], count)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "dialer:", err)
		os.Exit(1)
	}
}

func measure(url string, count int) error {
	direct := make([]time.Duration, count)
	for i := range direct {
		start := time.Now()
		conn, err := roundTrip(url)
		direct[i] = time.Since(start)
		if err := rest(conn, err); err != nil {
			return err
		}
	}
	handed, err := measureHanded(url, count)
	if err != nil {
		return err
	}
	for name, took := range map[string][]time.Duration{"dial": direct, "handed": handed} {
		slices.Sort(took)
		fmt.Printf("%s %.1f us\n", name, float64(took[count/2].Nanoseconds())/1e3)
	}
	return nil
}

// roundTrip connects and exchanges one frame.
func roundTrip(url string) (*websocket.Conn, error) {
	dialer := &websocket.Dialer{Subprotocols: []string{wire.Subprotocol}}
	frame := wire.Append(nil, &wire.Login{
		Request: 1, Version: wire.Version, App: 1400000001, User: "alice", Ticket: "ok",
		Platform: codes.PlatformLinux, Instance: "0123456789abcdef0123456789abcdef", SDK: "tim-c/" + codes.Version,
	})
	conn, _, err := dialer.Dial(url, nil)
	if err == nil {
		err = conn.WriteMessage(websocket.BinaryMessage, frame)
	}
	if err == nil {
		_, _, err = conn.ReadMessage()
	}
	return conn, err
}

// rest waits until the server has forgotten the connection.
func rest(conn *websocket.Conn, err error) error {
	if err != nil {
		return err
	}
	err = conn.Close()
	time.Sleep(2 * time.Millisecond)
	return err
}

type answer struct {
	conn *websocket.Conn
	err  error
	at   time.Time
}

func measureHanded(url string, count int) ([]time.Duration, error) {
	runtime.LockOSThread() // the caller's thread
	defer runtime.UnlockOSThread()
	asked, done, answers := make(chan bool), make(chan answer), make(chan answer)
	defer close(asked)
	go func() {
		defer close(done)
		for range asked {
			conn, err := roundTrip(url)
			done <- answer{conn: conn, err: err}
		}
	}()
	go func() {
		runtime.LockOSThread() // the thread of the callbacks
		for a := range done {
			a.at = time.Now()
			answers <- a
		}
	}()
	took := make([]time.Duration, count)
	for i := range took {
		start := time.Now()
		asked <- true
		a := <-answers
		took[i] = a.at.Sub(start)
		if err := rest(a.conn, a.err); err != nil {
			return nil, err
		}
	}
	return took, nil
}
