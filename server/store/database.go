package store

import (
	"context"
	"time"

	"github.com/opentim/tim/server"
)

// A Database is what an engine adds: where rows lie and how they become durable. New puts the cache and the group commit in
// front of it. Update is called by one goroutine; everything else may be called from any goroutine, at any time before Close.
//
// Times are UTC and whole milliseconds, in both directions. An error that is a codes.Code is an answer; any other error is
// reported as codes.ServerInternal.
type Database interface {
	// Find reads an account, and whether day is marked for it. What it has read is durable. The error is
	// codes.AccountNotFound if there is no account, or it was deleted; then its NotBefore is returned all the same.
	Find(ctx context.Context, key server.UserKey, day server.Day) (a server.Account, marked bool, err error)

	// Settings, History and Actives are those of server.Store.
	Settings(ctx context.Context, app uint64) (server.Settings, error)
	History(ctx context.Context, app uint64, limit int) ([]server.Settings, error)
	Actives(ctx context.Context, app uint64, from, to server.Day) (server.Actives, error)

	// Absences returns those of users of an app that began after a moment, in no order.
	Absences(ctx context.Context, app uint64, users []string, after time.Time) ([]Absence, error)

	// Update runs change in one transaction, once, and returns when that is durable. If change returns an error, nothing of it
	// is kept. If the commit fails, nothing is either, unless only its answer was lost. If change wrote nothing, Update writes nothing.
	Update(change func(Tx) error) error

	Ping(ctx context.Context) error
	Close() error
}

// A Tx is one transaction of a Database. It sees what it has written itself. A method that returns a codes.Code has changed
// nothing and leaves the transaction good; after any other error the transaction must fail.
type Tx interface {
	// Arrive records the logins that may be, one after the other, and sets the Result of each.
	Arrive(logins []*Arrive) error
	// Import makes the accounts that do not exist, or were deleted.
	Import(app uint64, users []string, at time.Time) error
	// Change reads an account, lets change alter its ban and its NotBefore, and writes it. The error is
	// codes.AccountNotFound if there is none.
	Change(key server.UserKey, change func(*server.Account)) error
	// Delete removes an account and its marks. What stays is a stone with its NotBefore, at or later, which an account made
	// again under this userID takes over. The error is codes.AccountNotFound if there is none.
	Delete(key server.UserKey, at time.Time) error
	// SetSettings stores s, with its ChangedAt, as the version after s.Version and returns it. The error is
	// codes.InvalidOperation if s.Version is not the newest.
	SetSettings(app uint64, s server.Settings) (server.Settings, error)
	// Absences returns those of keys, in no order.
	Absences(keys []server.UserKey) ([]Absence, error)
	// SetAbsences removes the absences of the instances in gone, and adds set, which take the place of what their instances had.
	SetAbsences(gone, set []Absence) error
	// PruneAbsences removes some of those that began before a moment, a thousand at most.
	PruneAbsences(before time.Time) error
}

// An Absence is one, and whose it is.
type Absence struct {
	Key server.UserKey
	server.Absence
}

// An Arrive is a login to record, and what it turned out to mean.
type Arrive struct {
	Key server.UserKey
	Day server.Day
	At  time.Time                 // CreatedAt of an account that is made
	May func(server.Account) bool // see server.Store; nil says yes

	Result  server.Arrival // set by Tx.Arrive
	Refused bool           // May said no
}

// Meets sets the Result to an account as it is before the login, and reports whether the login may be recorded.
func (l *Arrive) Meets(a server.Account) bool {
	l.Result = server.Arrival{Account: a}
	l.Refused = !allowed(l.May, a)
	return !l.Refused
}

func allowed(may func(server.Account) bool, a server.Account) bool { return may == nil || may(a) }
