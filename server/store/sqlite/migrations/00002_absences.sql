-- +goose Up

-- Phones and tablets that did not come back and did not log out: they count as PushOnline for seven days.
CREATE TABLE absences (
  app        INTEGER NOT NULL,
  user       TEXT    NOT NULL,
  platform   TEXT    NOT NULL,
  instance   BLOB    NOT NULL, -- UTF-8; which may have a NUL
  login_seq  INTEGER NOT NULL,
  since_ms   INTEGER NOT NULL,
  PRIMARY KEY (app, user, platform, instance)
) STRICT, WITHOUT ROWID;

CREATE INDEX absences_by_time ON absences (since_ms);
