package format

import (
	"time"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/server"
	"github.com/opentim/tim/server/store"
)

// An Absence is a row of absences.
type Absence struct {
	App      int64
	User     string
	Platform string
	Instance []byte
	LoginSeq int64
	Since    int64
}

// NewAbsence returns the row of an absence.
func NewAbsence(a store.Absence) Absence {
	return Absence{
		App: int64(a.Key.App), User: a.Key.User, Platform: a.Platform.String(), Instance: []byte(a.Instance),
		LoginSeq: int64(a.LoginSeq), Since: a.Since.UnixMilli(),
	}
}

// AppendTo adds what the row says to list, unless a newer tim wrote of a platform that this one does not know.
func (a *Absence) AppendTo(list []store.Absence) []store.Absence {
	platform, ok := codes.ParsePlatform(a.Platform)
	if !ok {
		return list
	}
	return append(list, store.Absence{
		Key: server.UserKey{App: uint64(a.App), User: a.User},
		Absence: server.Absence{
			Instance: string(a.Instance), Platform: platform, LoginSeq: uint64(a.LoginSeq), Since: time.UnixMilli(a.Since).UTC(),
		},
	})
}
