package core

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/opentim/tim/codes"
)

const (
	silenceAllowed = 10 * time.Second // beyond the server's ping interval
	probeTimeout   = 2 * time.Second
)

// noteLife notes that something came from the server.
func (e *engine) noteLife() {
	if e.state == online {
		e.link.probing = false
		e.arm(alarmAlive, e.session.ping+silenceAllowed)
	}
}

// probe asks the server for a sign of life, which must come within 2 s.
func (e *engine) probe() {
	l := e.link
	if l.probing {
		return
	}
	l.probing = true
	e.arm(alarmAlive, probeTimeout)
	e.spawn("probe", func(*task) { _ = l.conn.Ping() })
}

// silence says what it means that nothing came from the server until at. If only the wall clock has reached it, this machine
// slept, or its clock was set: then the server may have spoken, and is asked.
func (e *engine) silence(at moment) *signal {
	switch {
	case e.link.probing:
		return &signal{kind: silent, failure: failure{code: codes.Disconnected, text: "no sign of life within 2s"}}
	case e.now.mono < at.mono:
		return &signal{kind: wake}
	}
	text := fmt.Sprintf("nothing came from the server for %s", e.session.ping+silenceAllowed)
	return &signal{kind: lost, failure: failure{code: codes.Disconnected, text: text}}
}

// setClock takes the server's clock from a ping: 8 bytes, big-endian, Unix milliseconds. Pings of proxies carry none.
func (e *engine) setClock(payload []byte) {
	if len(payload) == 8 {
		e.setServerTime(int64(binary.BigEndian.Uint64(payload)), e.link.rtt)
	}
}

// setServerTime notes the server's clock as it was half a round trip ago.
func (e *engine) setServerTime(ms int64, rtt time.Duration) {
	e.client.time.Store(&serverTime{clocks: e.clocks, server: sane(ms).Add(rtt / 2), here: e.now})
}
