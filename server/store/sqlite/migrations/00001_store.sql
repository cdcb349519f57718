-- +goose Up

-- An app is an SDKAppID: an unsigned 64-bit number, kept as the signed number with the same bits.
-- Times end in _ms: milliseconds since 1970, UTC.

-- How many accounts an app has ever had. Accounts are numbered within their app, from 0.
CREATE TABLE apps (
  app       INTEGER PRIMARY KEY,
  numbered  INTEGER NOT NULL
) STRICT;

-- A deleted account stays as a stone: its number is used again if it is made again, and its tickets stay revoked.
CREATE TABLE accounts (
  app             INTEGER NOT NULL,
  user            TEXT    NOT NULL,
  number          INTEGER NOT NULL,
  created_ms      INTEGER NOT NULL,
  deleted         INTEGER NOT NULL DEFAULT 0,
  banned          INTEGER NOT NULL DEFAULT 0,
  banned_until_ms INTEGER, -- NULL: for ever, if banned
  not_before_ms   INTEGER, -- NULL: no ticket is revoked
  PRIMARY KEY (app, user)
) STRICT, WITHOUT ROWID;

-- Who logged in on a day: one bit for each account. Account n is bit n % 8 of byte n % 4096 / 8 in chunk n / 4096; bits has
-- 512 bytes. day counts from 1970-01-01 in the app's time zone. A million accounts take 170 KB a day, and counting the
-- accounts of a month is counting bits. Days that are not needed any more may be deleted while the server runs.
CREATE TABLE marks (
  app    INTEGER NOT NULL,
  day    INTEGER NOT NULL,
  chunk  INTEGER NOT NULL,
  bits   BLOB    NOT NULL,
  PRIMARY KEY (app, day, chunk)
) STRICT, WITHOUT ROWID;

-- Every version of an app's login settings, from 1. Policy and platforms by name.
CREATE TABLE settings (
  app         INTEGER NOT NULL,
  version     INTEGER NOT NULL,
  policy      TEXT    NOT NULL,
  limits      TEXT    NOT NULL, -- JSON, as in {"web":3}
  changed_by  TEXT    NOT NULL,
  changed_ms  INTEGER NOT NULL,
  PRIMARY KEY (app, version)
) STRICT, WITHOUT ROWID;
