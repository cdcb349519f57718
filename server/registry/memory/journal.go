package memory

import (
	"errors"
	"log/slog"
	"os"
	"time"

	"github.com/opentim/tim/server"
)

const (
	journalPause = 50 * time.Millisecond // between two writes, so that what comes meanwhile is one
	journalRetry = time.Second
	journalBatch = 64 << 10 // bytes in one write
	journalSlack = 1 << 20  // bytes; a journal may be twice as large as what it says, and this
)

// A journal says on disk who is signed in, so that a node that was killed finds out who was. Nobody waits for it: shards note
// whose sessions began or ended, and a goroutine brings that to the file, a moment later. A kill loses that moment; what the
// kernel has is not lost. The file grows until a new one takes its place that has only what counts.
type journal struct {
	cluster *Cluster
	path    string
	node    server.NodeID
	log     *slog.Logger

	some chan struct{} // cap 1: users wait to be written
	stop chan struct{}
	done chan struct{}

	// Of the goroutine.
	file    *os.File // nil if a new one has to be made
	size    int64    // of it
	fresh   int64    // its size when it was made
	out     []byte   // what is not written yet
	failing bool
}

// begin writes a journal with what the cluster has now, and keeps it up to date until end.
func (j *journal) begin() {
	j.some, j.stop, j.done = make(chan struct{}, 1), make(chan struct{}), make(chan struct{})
	j.write()
	go j.run()
}

func (j *journal) end() {
	close(j.stop)
	<-j.done
}

func (j *journal) wake() {
	select {
	case j.some <- struct{}{}:
	default:
	}
}

func (j *journal) run() {
	defer close(j.done)
	for last := false; !last; {
		select {
		case <-j.some:
		case <-j.stop:
			last = true
		}
		j.write()
		rest := journalPause
		if j.failing {
			rest = journalRetry
			j.wake()
		}
		select {
		case <-time.After(rest):
		case <-j.stop:
		}
	}
	if j.file != nil {
		_ = j.file.Close() // there is nothing in it that was not written
	}
}

// write brings to the file what waits. After an error it begins a new one.
func (j *journal) write() {
	err := j.append()
	if err == nil && (j.file == nil || j.size > 2*j.fresh+journalSlack) {
		err = j.renew()
	}
	if err != nil {
		if !j.failing {
			j.log.Error("registry: who is signed in cannot be noted for a restart; trying again", "file", j.path, "error", err)
		}
		j.close()
	}
	j.failing = err != nil
}

func (j *journal) close() {
	if j.file != nil {
		_ = j.file.Close()
		j.file = nil
	}
}

// append adds the users that wait. If they are too many, it closes the file: all are to be written.
func (j *journal) append() error {
	if j.file == nil {
		return nil
	}
	for i := range j.cluster.shards {
		users, all := j.cluster.shards[i].changed()
		if all {
			j.close()
			return nil
		}
		if err := j.add(j.file, users); err != nil {
			return err
		}
	}
	return j.flush(j.file)
}

// renew replaces the file by one that has only what counts now.
func (j *journal) renew() error {
	j.close()
	j.out = appendHead(j.out[:0], j.node)
	file, err := os.OpenFile(j.path+".new", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	j.size = 0
	for i := range j.cluster.shards {
		if err == nil {
			err = j.add(file, j.cluster.shards[i].everybody())
		}
	}
	if err == nil {
		err = j.flush(file)
	}
	if err == nil {
		err = file.Sync() // a name must not stand for what a power cut took
	}
	if err = errors.Join(err, file.Close()); err == nil {
		err = os.Rename(j.path+".new", j.path)
	}
	if err != nil {
		_ = os.Remove(j.path + ".new") // half of it may be what the disk has no room for
		return err
	}
	j.fresh = j.size
	if file, err = os.OpenFile(j.path, os.O_APPEND|os.O_WRONLY, 0); err == nil {
		j.file = file
	}
	return err
}

func (j *journal) add(to *os.File, users []user) error {
	for i := range users {
		j.out = appendUser(j.out, users[i].key, users[i].sessions)
		if len(j.out) >= journalBatch {
			if err := j.flush(to); err != nil {
				return err
			}
		}
	}
	return nil
}

func (j *journal) flush(to *os.File) error {
	n, err := to.Write(j.out)
	j.size += int64(n)
	j.out = j.out[:0]
	return err
}
