package main

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/opentim/tim/server/store"
	"github.com/opentim/tim/server/store/sqlite"
)

// sizedStore returns the directory in parent that has a store with the accounts of users 0 to n-1, all of them active today and
// tomorrow, so that their logins write nothing. A store that is there already is used again.
func sizedStore(ctx context.Context, parent string, n int) (string, error) {
	dir := filepath.Join(parent, sizeName(n))
	path := filepath.Join(dir, storeFile)
	if _, err := os.Stat(dir); os.IsNotExist(err) {
		// What is interrupted is begun again: only a whole store has its name.
		half := dir + ".half"
		if err := os.RemoveAll(half); err != nil {
			return "", err
		}
		if err := os.MkdirAll(half, 0o700); err != nil {
			return "", err
		}
		free, err := freeSpace(half)
		if err != nil {
			return "", err
		}
		if need := roomFor(n); free < need {
			return "", fmt.Errorf("a store of %s accounts needs %d MB in %s, where %d MB are free", sizeName(n), need>>20, parent, free>>20)
		}
		if err := fillStore(ctx, filepath.Join(half, storeFile), n); err != nil {
			return "", fmt.Errorf("make a store of %d accounts: %w", n, err)
		}
		if err := os.Rename(half, dir); err != nil {
			return "", err
		}
	}
	if err := markStore(ctx, path, n); err != nil {
		return "", fmt.Errorf("mark the accounts of %s: %w", path, err)
	}
	return dir, readOnce(path)
}

// roomFor is what n accounts take on disk at most, with the log and some to spare: 46 bytes each, as written here.
func roomFor(n int) uint64 { return 64<<20 + 60*uint64(n) }

// fillStore makes a store, and writes accounts into its file by the hundred thousand: ten million imports would take an hour.
func fillStore(ctx context.Context, path string, n int) error {
	return alterStore(ctx, path, func(db *sql.DB) error {
		const some = 100_000
		for from := 0; from < n; from += some {
			_, err := db.ExecContext(ctx, `
				WITH RECURSIVE n (i) AS (SELECT ? UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?)
				INSERT INTO accounts (app, user, number, created_ms) SELECT ?, printf(?, i), i, ? FROM n`,
				from, min(from+some, n), appID, userPattern, time.Now().UnixMilli())
			if err != nil {
				return err
			}
		}
		_, err := db.ExecContext(ctx, `INSERT INTO apps (app, numbered) VALUES (?, ?)`, appID, n)
		return err
	})
}

// markStore marks all accounts on the days that a run may see, by whole chunks: the next accounts to be made count, too.
func markStore(ctx context.Context, path string, n int) error {
	return alterStore(ctx, path, func(db *sql.DB) error {
		today := time.Now().Unix() / 86400 // the app of timload has no time zone
		for day := today; day <= today+1; day++ {
			_, err := db.ExecContext(ctx, `
				WITH RECURSIVE chunks (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM chunks WHERE n + 1 < ?)
				INSERT OR REPLACE INTO marks (app, day, chunk, bits) SELECT ?, ?, n, unhex(printf('%.1024c', 'f')) FROM chunks`,
				(n+4095)/4096, appID, day)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// alterStore changes a store's file while nobody serves it; the store itself makes it, or brings it up to date.
func alterStore(ctx context.Context, path string, change func(*sql.DB) error) error {
	s, err := sqlite.Open(ctx, path, store.Options{})
	if err != nil {
		return err
	}
	if err := s.Close(); err != nil {
		return err
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(ctx, "PRAGMA synchronous = OFF; PRAGMA cache_size = -65536"); err != nil {
		return err
	}
	if err := change(db); err != nil {
		return err
	}
	return db.Close()
}

// readOnce brings a file into the kernel's cache, where that of a server that has run for a while is.
func readOnce(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(io.Discard, f)
	return err
}

// sizeName writes 10000 as 10k and 10000000 as 10M.
func sizeName(n int) string {
	switch {
	case n >= 1_000_000 && n%1_000_000 == 0:
		return fmt.Sprintf("%dM", n/1_000_000)
	case n >= 1000 && n%1000 == 0:
		return fmt.Sprintf("%dk", n/1000)
	}
	return fmt.Sprint(n)
}
