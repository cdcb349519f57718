package server

import (
	"context"
	"time"
)

// An Account is what the Store knows of a user.
type Account struct {
	CreatedAt time.Time // zero if there is no account
	// Banned accounts cannot log in until BannedUntil; a zero BannedUntil with Banned set means for ever.
	Banned      bool
	BannedUntil time.Time
	// NotBefore revokes tickets: one whose time is before this moment, in whole seconds, is refused, and so are resume tickets
	// of sessions logged in before it. It is by the cluster's clock, as LoginSeqs are. Zero revokes nothing.
	NotBefore time.Time
}

// A Day is a calendar day in an app's time zone: its number of days since 1970-01-01.
type Day int32

// DayOf returns the day of t in zone.
func DayOf(t time.Time, zone *time.Location) Day {
	y, m, d := t.In(zone).Date()
	return Day(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / 86400)
}

// An Arrival is what a login meant to the Store.
type Arrival struct {
	Account
	New        bool // the account was made by this login
	FirstToday bool // this was the account's first login of that day
}

// Actives counts the accounts that logged in at least once in a span of days.
type Actives struct {
	From, To Day // both included
	Users    int64
}

// A Store keeps what must survive: accounts, bans, revocations, settings, daily actives. Implementations live in
// subpackages and must pass storetest.Run. Every method may be called from any goroutine; what a method has answered is on
// disk. Several nodes may share one store.
type Store interface {
	// Arrive records a login: it makes the account if there is none, and marks day if it is the account's first login of that
	// day. Either is durable when Arrive returns; a login that changes neither writes nothing. While an account or a mark is
	// being written, other arrivals that depend on it wait for the same commit.
	//
	// may is asked before anything is written: with the account as it is, or as Account knows one that there is not. If it says
	// no, nothing is written, and the Arrival has only what it was asked about. It must be quick, and may be asked again, from
	// any goroutine. A nil may says yes.
	Arrive(ctx context.Context, key UserKey, day Day, may func(Account) bool) (Arrival, error)

	// Account returns what is known of a user; the error is codes.AccountNotFound if there is no account. One that was deleted
	// still has its NotBefore then, and nothing else.
	Account(ctx context.Context, key UserKey) (Account, error)
	// Import makes accounts that do not exist yet. Existing ones stay as they are.
	Import(ctx context.Context, app uint64, users []string) error
	// Delete removes an account, its marks included, and revokes its tickets as of at: an account made again later refuses
	// them. The error is codes.AccountNotFound if there is none.
	Delete(ctx context.Context, key UserKey, at time.Time) error
	// Ban bans an account until a moment, or for ever if until is zero. The error is codes.AccountNotFound if there is none.
	Ban(ctx context.Context, key UserKey, until time.Time) error
	// Unban ends a ban. Unbanning an account that is not banned is no error.
	Unban(ctx context.Context, key UserKey) error
	// Revoke sets NotBefore to at, unless it is later already. The error is codes.AccountNotFound if there is none.
	Revoke(ctx context.Context, key UserKey, at time.Time) error

	// Absences returns those of users, by user; who has none is missing. Ones older than AbsenceLife are left out.
	Absences(ctx context.Context, app uint64, users []string) (map[string][]Absence, error)
	// UpdateAbsences gives change the absences of each key, oldest login first, and keeps what it returns: one for each
	// instance of a platform. It is one commit for all keys. change must be quick, and is called once for a key, from any
	// goroutine. Delete, Ban and Revoke end an account's absences.
	UpdateAbsences(ctx context.Context, keys []UserKey, change func(key UserKey, list []Absence) []Absence) error

	// Settings returns an app's settings, the defaults if none were set.
	Settings(ctx context.Context, app uint64) (Settings, error)
	// SetSettings stores new settings with the next version and returns them. It fails with codes.InvalidOperation if the
	// stored version is no longer s.Version. Older versions are kept, for History.
	SetSettings(ctx context.Context, app uint64, s Settings) (Settings, error)
	// History returns an app's settings, newest first, at most limit of them.
	History(ctx context.Context, app uint64, limit int) ([]Settings, error)

	// Actives counts the accounts of app with a mark on any day from from to to.
	Actives(ctx context.Context, app uint64, from, to Day) (Actives, error)

	// Forget drops copies that this node keeps of what another node changed. An empty user means the app's settings.
	Forget(app uint64, user string)

	// Ping reports whether the store can answer now.
	Ping(ctx context.Context) error
	// Close waits for running commits and closes the store.
	Close() error
}
