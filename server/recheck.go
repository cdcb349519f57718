package server

import (
	"errors"
	"time"
)

// recheck tells a recorder of users of whom it was told something else, before this start, than is true: what a node was about
// to tell when it was killed was lost. It waits until whoever comes back is back, and does so once.
func (s *Sessions) recheck(w *watched, r Recorder) {
	if !pause(s.background, max(s.o.Grace, s.o.GraceWeb)+s.o.SweepEvery) {
		return
	}
	pace := s.sweepPace()
	for after := (UserKey{}); ; {
		list, err := r.Told(s.background, after, sweepBatch)
		for _, one := range list {
			if err = pace.next(s.background); err == nil {
				err = s.correct(w, one)
			}
			if err != nil {
				break
			}
			after = one.Key
		}
		if err != nil && s.background.Err() == nil {
			s.log.Warn("what was told before this start could not be compared with what is true", "error", err)
		}
		if err != nil || len(list) == 0 {
			return
		}
	}
}

// correct tells that those sessions timed out that were told and are no more. If they logged out, that was not told. So it is
// not known whether a push would reach them, and their absence is not noted.
func (s *Sessions) correct(w *watched, told Telling) error {
	turn := w.turns.take(told.Key)
	defer w.turns.end(turn)
	var news []Change
	err := w.Registry.Revise(s.background, told.Key, func(sessions []Session, revision uint64) ([]Session, uint64, error) {
		news = nil
		now := lasting(sessions)
		for _, one := range told.Sessions {
			if find(now, one.ID) == nil {
				revision = w.revision(max(revision, newest(sessions)))
				news = append(news, Change{Key: told.Key, Action: TimedOut, Revision: revision, At: time.Now(), Session: one, Sessions: now})
			}
		}
		if news == nil {
			return nil, 0, errDecided
		}
		return sessions, revision, nil
	})
	if errors.Is(err, errDecided) {
		return nil
	}
	if err == nil {
		for _, c := range news {
			s.o.Observer.Changed(c)
		}
	}
	return err
}
