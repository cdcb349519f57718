package server

import (
	"context"
	"errors"
	"math"
	"time"
)

// recheck tells a recorder of users of whom it was told something else, before this start, than is true: what a node was about
// to tell when it was killed was lost. It waits until whoever comes back is back, and does so once.
func (s *Sessions) recheck(r Recorder) {
	if !pause(s.background, max(s.o.Grace, s.o.GraceWeb)+s.o.SweepEvery) {
		return
	}
	pace := s.sweepPace()
	for after := (UserKey{}); ; {
		list, err := r.Told(s.background, after, sweepBatch)
		for _, one := range list {
			if err = pace.next(s.background); err == nil {
				err = s.correct(s.background, one, TimedOut, math.MaxUint64)
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

// correct tells of those sessions that were told and are no more how they ended, unless the key has a revision as new as since:
// then somebody has told what is true. Whether a push would reach them is not known, because somebody may have logged them out: so
// their absence is not noted.
func (s *Sessions) correct(ctx context.Context, told Telling, how Action, since uint64) error {
	if s.o.Observer == nil {
		return nil
	}
	w := s.watch
	turn := w.turns.take(told.Key)
	defer w.turns.end(turn)
	var news []Change
	err := w.Registry.Revise(ctx, told.Key, func(sessions []Session, revision uint64) ([]Session, uint64, error) {
		news = nil
		if revision >= since {
			return nil, 0, errDecided
		}
		now := lasting(sessions)
		for _, one := range told.Sessions {
			if find(now, one.ID) == nil {
				revision = w.revision(max(revision, newest(sessions)))
				news = append(news, Change{Key: told.Key, Action: how, Revision: revision, At: time.Now(), Session: one, Sessions: now})
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
