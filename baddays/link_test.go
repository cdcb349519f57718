//go:build linux

package baddays

import (
	"math/rand/v2"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// A link carries packets between two namespaces, badly if told so. It is what a radio is to a phone.
type link struct {
	phone, server *os.File // TUN devices

	mu      sync.Mutex
	weather weather
}

// A weather is how a link is. The zero weather is fine.
type weather struct {
	delay time.Duration // one way
	loss  int           // of each five packets that follow one another, chosen by chance: so many are lost, and no streak is long
	rate  int           // bytes per second each way; 0 means no limit
	hole  bool          // nothing comes through, and nobody is told
}

const (
	mtu      = 1500
	inFlight = 256 // packets on the way in one direction; more are lost, as in any router
)

func newLink(phone, server *os.File) *link {
	l := &link{phone: phone, server: server}
	go l.carry(phone, server)
	go l.carry(server, phone)
	return l
}

func (l *link) set(w weather) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.weather = w
}

func (l *link) now() weather {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.weather
}

type packet struct {
	data []byte
	at   time.Time // when it arrives
}

// carry takes packets from one end to the other until the ends are closed.
func (l *link) carry(from, to *os.File) {
	way := make(chan packet, inFlight)
	defer close(way)
	go func() {
		for p := range way {
			time.Sleep(time.Until(p.at))
			if !l.now().hole {
				_, _ = to.Write(p.data) // a device that is down takes nothing
			}
		}
	}()
	free := time.Now() // when the link has sent what it was given
	var five []int     // an order of 0 to 4; the lowest are lost
	for buffer := make([]byte, mtu+100); ; {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		w := l.now()
		if len(five) == 0 {
			five = rand.Perm(5)
		}
		lot := five[0]
		if five = five[1:]; w.hole || lot < w.loss {
			continue
		}
		at := time.Now()
		if w.rate > 0 {
			if at.Before(free) {
				at = free
			}
			at = at.Add(time.Duration(n) * time.Second / time.Duration(w.rate))
			free = at
		}
		select {
		case way <- packet{append([]byte(nil), buffer[:n]...), at.Add(w.delay)}:
		default:
		}
	}
}

func (l *link) close() {
	_ = l.phone.Close()
	_ = l.server.Close()
}

// openTUN makes a device in the namespace of the calling thread.
func openTUN(name string) (*os.File, error) {
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	request, err := unix.NewIfreq(name)
	if err == nil {
		request.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
		err = unix.IoctlIfreq(fd, unix.TUNSETIFF, request)
	}
	if err != nil {
		_ = unix.Close(fd)
		return nil, err
	}
	return os.NewFile(uintptr(fd), name), nil
}
