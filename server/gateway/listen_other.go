//go:build !linux

package gateway

import "syscall"

var listenControl func(network, address string, c syscall.RawConn) error
