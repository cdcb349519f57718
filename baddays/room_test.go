//go:build linux

package baddays

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// Addresses at the two ends of a link.
const (
	phoneIP  = "10.77.0.1"
	phoneIP2 = "10.77.0.9" // after a change
	serverIP = "10.77.0.2"
)

// A room is a phone's network and a server's, with a link between them.
type room struct {
	*link
	t             *testing.T
	phone, server string // names of the namespaces
}

var rooms atomic.Int32

func newRoom(t *testing.T) *room {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("namespaces take root")
	}
	n := rooms.Add(1)
	r := &room{t: t, phone: fmt.Sprintf("tim%d-%dp", os.Getpid(), n), server: fmt.Sprintf("tim%d-%ds", os.Getpid(), n)}
	r.furnish(r.phone, phoneIP)
	r.furnish(r.server, serverIP)
	r.link = newLink(r.device(r.phone, phoneIP), r.device(r.server, serverIP))
	t.Cleanup(r.link.close)
	return r
}

func (r *room) furnish(name, _ string) {
	r.run("ip", "netns", "add", name)
	etc := "/etc/netns/" + name
	r.t.Cleanup(func() {
		_ = exec.Command("ip", "netns", "delete", name).Run()
		_ = os.RemoveAll(etc)
	})
	require.NoError(r.t, os.MkdirAll(etc, 0o755))
	require.NoError(r.t, os.WriteFile(etc+"/resolv.conf", []byte("nameserver "+serverIP+"\noptions timeout:5 attempts:2\n"), 0o644))
	r.run("ip", "-n", name, "link", "set", "lo", "up")
}

func (r *room) device(name, ip string) *os.File {
	var tun *os.File
	r.inside(name, func() (err error) {
		tun, err = openTUN("radio")
		return err
	})
	r.run("ip", "-n", name, "link", "set", "radio", "mtu", fmt.Sprint(mtu), "up")
	r.run("ip", "-n", name, "addr", "add", ip+"/24", "dev", "radio")
	return tun
}

// inside runs f in a thread that is in a namespace. What f opens stays there.
func (r *room) inside(name string, f func() error) {
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlock: the thread ends with the goroutine
		fd, err := unix.Open("/var/run/netns/"+name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err == nil {
			defer unix.Close(fd)
			err = unix.Setns(fd, unix.CLONE_NEWNET)
		}
		if err == nil {
			err = f()
		}
		done <- err
	}()
	require.NoError(r.t, <-done)
}

func (r *room) run(command ...string) {
	r.t.Helper()
	out, err := exec.Command(command[0], command[1:]...).CombinedOutput()
	require.NoError(r.t, err, "%s: %s", strings.Join(command, " "), out)
}

// listenUDP opens a socket at the server's end.
func (r *room) listenUDP(port int) *net.UDPConn {
	var conn *net.UDPConn
	r.inside(r.server, func() (err error) {
		conn, err = net.ListenUDP("udp4", &net.UDPAddr{IP: net.ParseIP(serverIP), Port: port})
		return err
	})
	r.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// at is the command that runs another one in a namespace.
func at(namespace string, command ...string) []string {
	if namespace == "" {
		return command
	}
	return append([]string{"ip", "netns", "exec", namespace}, command...)
}

// linkDown and linkUp are what happens to a phone that loses its radio and knows it.
func (r *room) linkDown() { r.run("ip", "-n", r.phone, "link", "set", "radio", "down") }
func (r *room) linkUp()   { r.run("ip", "-n", r.phone, "link", "set", "radio", "up") }

// move gives the phone another address, as on the way from one network to another.
func (r *room) move() {
	r.run("ip", "-n", r.phone, "addr", "flush", "dev", "radio")
	r.run("ip", "-n", r.phone, "addr", "add", phoneIP2+"/24", "dev", "radio")
}
