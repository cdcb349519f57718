package server

import (
	"net/netip"
	"time"
)

// An App is one SDKAppID that this server serves.
type App struct {
	ID     uint64
	Name   string
	Keys   []string // secret keys that sign tickets, newest first; never logged
	Admins []string // userIDs that may use the REST API, at most 10
	// AdminFrom are the networks from which the REST API may be called; none means from anywhere.
	AdminFrom []netip.Prefix
	Zone      *time.Location
}
