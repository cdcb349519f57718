package memory

import (
	"bufio"
	"errors"
	"io"
	"io/fs"
	"os"

	"github.com/opentim/tim/server"
)

// load reads a journal into the cluster, as far as it can be read, and returns whose sessions those are. That there is none is
// no error.
func (c *Cluster) load(path string) (node server.NodeID, err error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	defer file.Close()
	return c.read(bufio.NewReaderSize(file, 1<<16))
}

func (c *Cluster) read(in *bufio.Reader) (node server.NodeID, err error) {
	head, err := readRecord(in)
	if errors.Is(err, io.EOF) {
		err = errTorn
	}
	if err == nil {
		node, err = head.node()
	}
	for err == nil {
		var record fields
		if record, err = readRecord(in); errors.Is(err, io.EOF) {
			return node, nil
		}
		if err == nil {
			err = c.restore(&record, node)
		}
	}
	return node, err
}

func (c *Cluster) restore(record *fields, node server.NodeID) error {
	key, sessions, err := record.user(node)
	if err == nil {
		c.shard(key).put(key, sessions)
	}
	return err
}
