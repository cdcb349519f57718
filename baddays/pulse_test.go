//go:build linux

package baddays

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// What is measured here is tim's time and the machine's, and only tim's is promised. A pulse beats as often as it can, and
// notes how late it was: a machine on which a nap and a millisecond's work take a second is a second behind, and so is what
// happens on it.
type pulse struct {
	mu    sync.Mutex
	beats []beat // those that were late
}

type beat struct {
	at   time.Time
	late time.Duration
}

const (
	nap  = 50 * time.Millisecond
	work = time.Millisecond // of a processor's time
)

var machine = func() *pulse {
	p := new(pulse)
	go func() {
		for {
			began := time.Now()
			time.Sleep(nap)
			for busy := cpuTime(); cpuTime()-busy < work; { // whoever shares the processor makes it longer
			}
			p.note(time.Now(), time.Since(began)-nap-work)
		}
	}()
	return p
}()

func (p *pulse) note(at time.Time, late time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if late > 2*time.Millisecond {
		p.beats = append(p.beats, beat{at, late})
	}
}

// behind is how late the machine was at most since then.
func (p *pulse) behind(since time.Time) (most time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := len(p.beats) - 1; i >= 0 && !p.beats[i].at.Before(since); i-- {
		most = max(most, p.beats[i].late)
	}
	return most
}

// grace is what the machine may add to what the design allows: most of a second for what takes many steps, on the way between
// processes and through the cryptography of a connection; and more if a step takes long. (Of 200 times taken on two processors
// with forty processes waiting for them, none was later than seven times what the machine was behind.)
func (p *pulse) grace(since time.Time) time.Duration {
	return 700*time.Millisecond + 12*p.behind(since)
}

// cpuTime is of the process: of a thread it would be cheaper to tell, but a goroutine moves.
func cpuTime() time.Duration {
	var t unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &t)
	return time.Duration(t.Nano())
}

func TestAMachineThatIsBehindHasMoreTime(t *testing.T) {
	p, began := new(pulse), time.Now()
	require.Equal(t, 700*time.Millisecond, p.grace(began))
	p.note(began.Add(time.Minute), 100*time.Millisecond)
	p.note(began.Add(2*time.Minute), time.Millisecond)
	require.Equal(t, 1900*time.Millisecond, p.grace(began))
	require.Equal(t, 700*time.Millisecond, p.grace(began.Add(90*time.Second)), "it has caught up since")
}
