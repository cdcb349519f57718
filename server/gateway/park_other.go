//go:build !linux

package gateway

// A parker does nothing here: a goroutine waits for each connection.
type parker struct{}

func newParker(*Gateway) (*parker, error) { return nil, nil }

func (*parker) close() {}

func (*conn) park(*socket) bool { return false }
