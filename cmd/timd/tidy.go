package main

import (
	"runtime/debug"
	"time"
)

// tidy gives memory back to the system when many clients have come or gone and it has become quiet again: what a storm of
// logins leaves behind is as much as the connections themselves, and Go would keep it for minutes.
func (n *node) tidy() {
	const many = 1000
	tick := time.NewTicker(3 * time.Second)
	defer tick.Stop()
	tidied, before := 0, 0
	for {
		select {
		case <-tick.C:
		case <-n.closed:
			return
		}
		online := n.gateway.Online()
		quiet := distance(online, before) <= online/100
		if before = online; quiet && distance(online, tidied) >= max(many, tidied/4) {
			debug.FreeOSMemory()
			tidied = online
		}
	}
}

func distance(a, b int) int { return max(a-b, b-a) }
