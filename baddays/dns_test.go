//go:build linux

package baddays

import (
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// A nameServer knows one host, wherever it is asked for.
type nameServer struct {
	conn   *net.UDPConn
	delay  atomic.Int64 // of its answers, in nanoseconds
	silent atomic.Bool
	empty  atomic.Bool // it knows nobody
	moved  atomic.Bool // the host is at its second address
}

func newNameServer(conn *net.UDPConn) *nameServer {
	s := &nameServer{conn: conn}
	go func() {
		for buffer := make([]byte, 1500); ; {
			n, from, err := conn.ReadFromUDPAddrPort(buffer)
			if err != nil {
				return
			}
			if question := append([]byte(nil), buffer[:n]...); !s.silent.Load() {
				time.AfterFunc(time.Duration(s.delay.Load()), func() { s.answer(question, from) })
			}
		}
	}()
	return s
}

func (s *nameServer) answer(question []byte, to netip.AddrPort) {
	var m dnsmessage.Message
	if m.Unpack(question) != nil || len(m.Questions) != 1 {
		return
	}
	q := m.Questions[0]
	m.Response, m.RecursionAvailable, m.Additionals = true, true, nil // who looks nothing up is asked again
	host := serverIP
	if s.moved.Load() {
		host = serverIP2
	}
	switch {
	case s.empty.Load():
		m.RCode = dnsmessage.RCodeNameError
	case q.Type == dnsmessage.TypeA:
		m.Answers = []dnsmessage.Resource{{
			Header: dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class, TTL: 0},
			Body:   &dnsmessage.AResource{A: netip.MustParseAddr(host).As4()},
		}}
	}
	if packed, err := m.Pack(); err == nil {
		_, _ = s.conn.WriteToUDPAddrPort(packed, to)
	}
}
