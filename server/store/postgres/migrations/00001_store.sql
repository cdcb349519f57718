-- +goose Up

-- An app is an SDKAppID: an unsigned 64-bit number, kept as the signed number with the same bits.
-- Times end in _ms: milliseconds since 1970, UTC.

-- Has no rows. Who writes locks it, so that one node writes at a time.
CREATE TABLE writing ();

-- How many accounts an app has ever had. Accounts are numbered within their app, from 0.
CREATE TABLE apps (
  app       bigint NOT NULL PRIMARY KEY,
  numbered  bigint NOT NULL
) WITH (fillfactor = 10);

-- A deleted account stays as a stone: its number is used again if it is made again, and its tickets stay revoked.
CREATE TABLE accounts (
  app             bigint  NOT NULL,
  user_id         text    COLLATE "C" NOT NULL,
  number          bigint  NOT NULL,
  created_ms      bigint  NOT NULL,
  deleted         boolean NOT NULL DEFAULT false,
  banned          boolean NOT NULL DEFAULT false,
  banned_until_ms bigint, -- NULL: for ever, if banned
  not_before_ms   bigint, -- NULL: no ticket is revoked
  PRIMARY KEY (app, user_id)
) WITH (fillfactor = 95);

-- Who logged in on a day: one bit for each account. Account n is bit n % 8 of byte n % 4096 / 8 in chunk n / 4096; bits has
-- 512 bytes. day counts from 1970-01-01 in the app's time zone. A million accounts take about 350 KB a day, as half of a page
-- is left free: a day's chunks are written again and again. Days that are not needed any more may be deleted while servers run.
CREATE TABLE marks (
  app    bigint  NOT NULL,
  day    integer NOT NULL,
  chunk  bigint  NOT NULL,
  bits   bytea   NOT NULL,
  PRIMARY KEY (app, day, chunk)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);

-- Every version of an app's login settings, from 1. Policy and platforms by name.
CREATE TABLE settings (
  app         bigint NOT NULL,
  version     bigint NOT NULL,
  policy      text   NOT NULL,
  limits      text   NOT NULL, -- JSON, as in {"web":3}
  changed_by  text   NOT NULL,
  changed_ms  bigint NOT NULL,
  PRIMARY KEY (app, version)
);

-- What nodes have to forget, in order and without gaps: an account, or with an empty user_id an app's settings. The last
-- 100,000 are kept, the first is nobody's.
CREATE TABLE changes (
  seq      bigint NOT NULL PRIMARY KEY,
  app      bigint NOT NULL,
  user_id  text   COLLATE "C" NOT NULL
);
INSERT INTO changes VALUES (0, 0, '');
