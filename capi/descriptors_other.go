//go:build !unix

package main

import "github.com/opentim/tim/internal/ws"

var netDial = ws.NetDial
