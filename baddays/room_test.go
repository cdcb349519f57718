//go:build linux

package baddays

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// Addresses at the two ends of a link.
const (
	phoneIP   = "10.77.0.1"
	phoneIP2  = "10.77.0.9" // after a change
	serverIP  = "10.77.0.2"
	serverIP2 = "10.77.0.8" // where a server moves to
)

// A room is a phone's network and a server's, with a link between them.
type room struct {
	*link
	near, far *place // the phone's end, and the server's
}

func newRoom(t *testing.T) *room {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("namespaces take root")
	}
	r := &room{near: newPlace(t), far: newPlace(t)}
	r.near.names = filepath.Join(t.TempDir(), "resolv.conf")
	require.NoError(t, os.WriteFile(r.near.names, []byte("nameserver "+serverIP+"\noptions timeout:8 attempts:2\n"), 0o644))
	r.link = newLink(device(r.near, phoneIP), device(r.far, serverIP))
	t.Cleanup(r.link.close)
	return r
}

// device makes a place's end of the link.
func device(p *place, ip string) *os.File {
	var tun *os.File
	p.inside(func() (err error) {
		tun, err = openTUN("radio")
		return err
	})
	p.run("ip", "link", "set", "lo", "up")
	p.run("ip", "link", "set", "radio", "mtu", fmt.Sprint(mtu), "up")
	p.run("ip", "addr", "add", ip+"/24", "dev", "radio")
	return tun
}

// listenUDP opens a socket at the server's end.
func (r *room) listenUDP(port int) *net.UDPConn {
	var conn *net.UDPConn
	r.far.inside(func() (err error) {
		conn, err = net.ListenUDP("udp4", &net.UDPAddr{IP: net.ParseIP(serverIP), Port: port})
		return err
	})
	r.far.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// linkDown and linkUp are what happens to a phone that loses its radio and knows it.
func (r *room) linkDown() { r.near.run("ip", "link", "set", "radio", "down") }
func (r *room) linkUp()   { r.near.run("ip", "link", "set", "radio", "up") }

// move gives the phone another address, as on the way from one network to another.
func (r *room) move() {
	r.near.run("ip", "addr", "flush", "dev", "radio")
	r.near.run("ip", "addr", "add", phoneIP2+"/24", "dev", "radio")
}
