package store

import (
	"context"
	"maps"
	"sync"
	"time"

	"github.com/opentim/tim/server"
)

// maxSettings bounds the cache of settings; a server has far fewer apps.
const maxSettings = 4096

// A settingsCache keeps the settings of apps. Its zero value is empty.
type settingsCache struct {
	mu    sync.RWMutex
	byApp map[uint64]server.Settings
	drops fence
}

func (c *settingsCache) get(app uint64) (server.Settings, fence, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	s, ok := c.byApp[app]
	return s, c.drops, ok
}

// put keeps settings, unless some were dropped since the fence was taken.
func (c *settingsCache) put(app uint64, s server.Settings, f fence) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.drops != f {
		return
	}
	if c.byApp == nil || len(c.byApp) >= maxSettings {
		c.byApp = make(map[uint64]server.Settings)
	}
	c.byApp[app] = s
}

func (c *settingsCache) drop(app uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drops++
	delete(c.byApp, app)
}

func (c *settingsCache) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drops++
	c.byApp = nil
}

// Settings implements server.Store. The caller may change what it gets.
func (s *Store) Settings(ctx context.Context, app uint64) (server.Settings, error) {
	set, f, known := s.settings.get(app)
	if !known || !s.follower.fresh() {
		var err error
		if set, err = s.db.Settings(ctx, app); err != nil {
			return server.Settings{}, failed("settings", err)
		}
		s.settings.put(app, set, f)
	}
	set.Limits = maps.Clone(set.Limits)
	return set, nil
}

// SetSettings implements server.Store. It sets ChangedAt.
func (s *Store) SetSettings(ctx context.Context, app uint64, set server.Settings) (server.Settings, error) {
	set.Limits = maps.Clone(set.Limits) // the caller may go on using its own
	set.ChangedAt = millis(time.Now())
	var stored server.Settings
	err := s.writer.do(ctx, &write{
		weight: 1,
		change: func(tx Tx) (err error) {
			stored, err = tx.SetSettings(app, set)
			return err
		},
		after: func() { s.settings.drop(app) },
	})
	if err != nil {
		return server.Settings{}, failed("set settings", err)
	}
	return stored, nil
}

// History implements server.Store.
func (s *Store) History(ctx context.Context, app uint64, limit int) ([]server.Settings, error) {
	if limit <= 0 {
		return nil, nil
	}
	list, err := s.db.History(ctx, app, limit)
	if err != nil {
		return nil, failed("history", err)
	}
	return list, nil
}
