/* Tells every story of the C face against a fake server: ctest URL [PART OF A SENTENCE] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "story.h"

const char *server_url;

const char *server_path(const char *path) {
  static char url[256];
  snprintf(url, sizeof url, "%s%s", server_url, path);
  return url;
}

void sleep_ms(int ms) {
  struct timespec time = {ms / 1000, ms % 1000 * 1000000L};
  nanosleep(&time, NULL);
}

tim_config config_for(struct journal *journal) {
  tim_config config = TIM_CONFIG_INIT;
  config.url = server_url;
  config.sdk_app_id = 1400000001;
  config.platform = TIM_PLATFORM_LINUX;
  config.on_destroy = journal_destroy;
  config.user_data = journal;
  return config;
}

tim_client client_with(const tim_config *config, struct journal *journal) {
  tim_client client;
  CHECK_OK(tim_client_new(config, &client));
  CHECK(client != 0);
  CHECK_OK(tim_set_event_callback(client, journal_event, journal));
  return client;
}

tim_client client_for(struct journal *journal) {
  tim_config config = config_for(journal);
  return client_with(&config, journal);
}

void end(tim_client client, struct journal *journal) {
  CHECK_OK(tim_client_free(client));
  journal_await(journal, "closed: TIM_OK");
  EXPECT(journal, "destroyed");
  journal_expect_silence(journal, 0);
  journal_free(journal);
}

static tim_code freed_if_refused(tim_code code, void *call) {
  if (code) free(call);
  return code;
}

tim_code login(tim_client client, struct journal *journal, const char *user_id,
               const char *ticket) {
  char name[64];
  void *call;
  snprintf(name, sizeof name, "login %s", user_id);
  call = journal_call(journal, name);
  return freed_if_refused(tim_login(client, user_id, ticket, journal_done, call), call);
}

tim_code logout(tim_client client, struct journal *journal) {
  void *call = journal_call(journal, "logout");
  return freed_if_refused(tim_logout(client, journal_done, call), call);
}

tim_code renew(tim_client client, struct journal *journal, const char *ticket) {
  void *call = journal_call(journal, "renew");
  return freed_if_refused(tim_renew(client, ticket, journal_done, call), call);
}

void login_alice(tim_client client, struct journal *journal, const char *ticket) {
  CHECK_OK(login(client, journal, "alice", ticket));
  EXPECT(journal, "logging in", "connecting", "connected", "logged in", "ready",
         "login alice: TIM_OK");
}

static int tell(const struct story *stories, const char *part) {
  int told = 0;
  for (; stories->sentence; stories++) {
    if (part && !strstr(stories->sentence, part)) continue;
    printf("  %s\n", stories->sentence);
    fflush(stdout);
    if (getenv("FORKLESS")) {
    }
    stories->tell();
    told++;
  }
  return told;
}

int main(int argc, char **argv) {
  const char *part = argc > 2 ? argv[2] : NULL;
  int told;
  if (argc < 2) {
    fprintf(stderr, "usage: ctest URL [PART OF A SENTENCE]\n");
    return 2;
  }
  server_url = argv[1];
  told = tell(argument_stories, part);
  told += tell(login_stories, part);
  told += tell(session_stories, part);
  told += tell(life_stories, part);
  printf("%d stories are true\n", told);
  return told ? 0 : 1;
}
