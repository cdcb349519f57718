package webhook

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/server"
)

// A toldSession is one that a receiver was told that its user has.
type toldSession struct {
	ID       string `json:"id"`
	Instance string `json:"instance"`
	Platform string `json:"platform"`
	Label    string `json:"label,omitempty"`
	LoginSeq uint64 `json:"login_seq"`
}

// LastRevision implements server.Recorder.
func (w *Webhook) LastRevision() uint64 { return w.queue.opened }

// Told implements server.Recorder. Without Options.Remember nobody is known.
func (w *Webhook) Told(ctx context.Context, after server.UserKey, most int) ([]server.Telling, error) {
	list, err := w.queue.told(ctx, after, most)
	if err != nil {
		return nil, fmt.Errorf("webhook: what was told: %w", err)
	}
	return list, nil
}

// remember notes what users have by the last change of each, and the highest revision.
func (q *queue) remember(tx *sql.Tx, changes []server.Change) error {
	last := make(map[server.UserKey]*server.Change)
	revision := q.revision
	for i := range changes {
		c := &changes[i]
		revision = max(revision, c.Revision)
		if q.remembers {
			last[c.Key] = c
		}
	}
	if revision > q.revision {
		if _, err := tx.Exec("INSERT OR REPLACE INTO revisions (one, highest) VALUES (1, ?)", int64(revision)); err != nil {
			return err
		}
	}
	if len(last) == 0 {
		return nil
	}
	set, err := tx.Prepare("INSERT OR REPLACE INTO told (app, user, sessions) VALUES (?, ?, ?)")
	if err != nil {
		return err
	}
	defer set.Close()
	gone, err := tx.Prepare("DELETE FROM told WHERE app = ? AND user = ?")
	if err != nil {
		return err
	}
	defer gone.Close()
	for key, c := range last {
		if len(c.Sessions) == 0 {
			_, err = gone.Exec(int64(key.App), key.User)
		} else {
			_, err = set.Exec(int64(key.App), key.User, toldSessions(c.Sessions))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func toldSessions(sessions []server.Session) []byte {
	list := make([]toldSession, len(sessions))
	for i := range sessions {
		s := &sessions[i]
		list[i] = toldSession{s.ID, s.Instance, s.Platform.String(), s.Label, s.LoginSeq}
	}
	data, err := json.Marshal(list)
	if err != nil {
		panic("webhook: " + err.Error()) // plain strings and numbers
	}
	return data
}

// told returns users who had sessions by what they were told last, in the order of the table.
func (q *queue) told(ctx context.Context, after server.UserKey, most int) ([]server.Telling, error) {
	rows, err := q.db.QueryContext(ctx, "SELECT app, user, sessions FROM told WHERE (app, user) > (?, ?) ORDER BY app, user LIMIT ?",
		orderedApp(after), after.User, most)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []server.Telling
	for rows.Next() {
		var app int64
		var data []byte
		var t server.Telling
		if err := rows.Scan(&app, &t.Key.User, &data); err != nil {
			return nil, err
		}
		t.Key.App = uint64(app)
		var list []toldSession
		if err := json.Unmarshal(data, &list); err != nil {
			return nil, fmt.Errorf("user %s: %w", t.Key.User, err)
		}
		for _, s := range list {
			p, _ := codes.ParsePlatform(s.Platform)
			t.Sessions = append(t.Sessions, server.Session{ID: s.ID, Instance: s.Instance, Platform: p, Label: s.Label, LoginSeq: s.LoginSeq})
		}
		all = append(all, t)
	}
	return all, rows.Err()
}

// orderedApp returns how an app is ordered in the table; the zero key comes before all.
func orderedApp(after server.UserKey) int64 {
	if after == (server.UserKey{}) {
		return -1 << 63
	}
	return int64(after.App)
}

// readRevision reads the highest revision that was told.
func (q *queue) readRevision(ctx context.Context) error {
	var highest int64
	err := q.db.QueryRowContext(ctx, "SELECT highest FROM revisions").Scan(&highest)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	q.revision, q.opened = uint64(highest), uint64(highest)
	return nil
}
