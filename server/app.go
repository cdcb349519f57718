package server

import "time"

// An App is one SDKAppID that this server serves.
type App struct {
	ID     uint64
	Name   string
	Keys   []string // secret keys that sign tickets, newest first; never logged
	Admins []string // userIDs that may use the REST API, at most 10
	Zone   *time.Location
}
