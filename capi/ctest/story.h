/* A story is a test: a sentence that says what holds, and a function that returns if it does. */
#ifndef STORY_H
#define STORY_H

#include "journal.h"

struct story {
  const char *sentence;
  void (*tell)(void);
};

extern const struct story argument_stories[], login_stories[], session_stories[], life_stories[];

/* Where the fake server is: its URL, and the same with a path. */
extern const char *server_url;
const char *server_path(const char *path);

/* A config with all that a client needs; its callbacks write to journal. */
tim_config config_for(struct journal *journal);

/* A client that writes its events to journal, and its end. */
tim_client client_with(const tim_config *config, struct journal *journal);
tim_client client_for(struct journal *journal);
void end(tim_client client, struct journal *journal);

/* Calls whose answer is written as "login alice: CODE", "logout: CODE", "renew: CODE". */
tim_code login(tim_client client, struct journal *journal, const char *user_id, const char *ticket);
tim_code logout(tim_client client, struct journal *journal);
tim_code renew(tim_client client, struct journal *journal, const char *ticket);

/* Logs alice in and reads all about it. */
void login_alice(tim_client client, struct journal *journal, const char *ticket);

void sleep_ms(int ms);

#endif
