//go:build !linux

package gateway

import (
	"crypto/tls"
	"net"
)

func newSecure(raw net.Conn, config *tls.Config) *tls.Conn { return tls.Server(raw, config) }
