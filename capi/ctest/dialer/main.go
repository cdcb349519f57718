// Command dialer is what a login is measured against: it connects with bare gorilla, sends one frame and reads its echo,
// COUNT times, and prints the median as "dial VALUE us".
//
//	dialer URL COUNT
package main

import (
	"fmt"
	"os"
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
	dialer := &websocket.Dialer{Subprotocols: []string{wire.Subprotocol}}
	frame := wire.Append(nil, &wire.Login{
		Request: 1, Version: wire.Version, App: 1400000001, User: "alice", Ticket: "ok",
		Platform: codes.PlatformLinux, Instance: "0123456789abcdef0123456789abcdef", SDK: "tim-c/" + codes.Version,
	})
	took := make([]time.Duration, count)
	for i := range took {
		start := time.Now()
		conn, _, err := dialer.Dial(url, nil)
		if err != nil {
			return err
		}
		if err := conn.WriteMessage(websocket.BinaryMessage, frame); err != nil {
			return err
		}
		if _, _, err := conn.ReadMessage(); err != nil {
			return err
		}
		took[i] = time.Since(start)
		conn.Close()
	}
	slices.Sort(took)
	fmt.Printf("dial %.1f us\n", float64(took[count/2].Nanoseconds())/1e3)
	return nil
}
