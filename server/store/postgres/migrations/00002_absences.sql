-- +goose Up

-- Phones and tablets that did not come back and did not log out: they count as PushOnline for seven days.
CREATE TABLE absences (
  app        bigint NOT NULL,
  user_id    text   COLLATE "C" NOT NULL,
  platform   text   NOT NULL,
  instance   bytea  NOT NULL, -- UTF-8; which may have a NUL
  login_seq  bigint NOT NULL,
  since_ms   bigint NOT NULL,
  PRIMARY KEY (app, user_id, platform, instance)
);

CREATE INDEX absences_by_time ON absences (since_ms);
