/* The life of a client: who may free it when, and what still runs. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "story.h"
#ifdef TIM_TESTING
#  include "tim_testing.h"
#endif

static void freed_while_logging_in(void) {
  struct journal *journal = journal_new();
  tim_client client = client_for(journal);
  CHECK_OK(login(client, journal, "alice", "silent"));
  CHECK_OK(tim_client_free(client));
  /* All of it was written before tim_client_free returned. */
  journal_write(journal, "free returned");
  journal_await(journal, "login alice: TIM_INTERRUPTED");
  EXPECT(journal, "closed: TIM_OK", "destroyed", "free returned");
  journal_expect_silence(journal, 50);
  journal_free(journal);
}

static void free_in_event(tim_client client, const tim_event *event, void *user_data) {
  journal_event(client, event, user_data);
  if (event->kind != TIM_EVENT_CONNECTING) return;
  CHECK_OK(tim_client_free(client));
  CHECK_OK(tim_client_free(client)); /* it is on its way already */
  CHECK_CODE(tim_get_login_status(client), TIM_NOT_INITIALIZED);
  CHECK_CODE(tim_login(client, "bob", "ok", NULL, NULL), TIM_NOT_INITIALIZED);
  sleep_ms(30);
  journal_write(user_data, "callback returns");
}

static void freed_in_event(void) {
  struct journal *journal = journal_new();
  tim_client client = client_for(journal);
  CHECK_OK(tim_set_event_callback(client, free_in_event, journal));
  CHECK_OK(login(client, journal, "alice", "silent"));
  EXPECT(journal, "logging in", "connecting", "callback returns");
  journal_await(journal, "login alice: TIM_INTERRUPTED");
  journal_await(journal, "destroyed");
  journal_expect_silence(journal, 50);
  CHECK_CODE(tim_client_free(client), TIM_NOT_INITIALIZED);
  journal_free(journal);
}

static void free_in_done(tim_client client, const tim_result *result, void *user_data) {
  CHECK_OK(result->code);
  CHECK_OK(tim_client_free(client));
  journal_write(user_data, "done returns");
}

static void freed_in_done(void) {
  struct journal *journal = journal_new();
  tim_client client = client_for(journal);
  CHECK_OK(tim_login(client, "alice", "ok", free_in_done, journal));
  journal_await(journal, "done returns");
  journal_await(journal, "closed: TIM_OK");
  EXPECT(journal, "destroyed");
  journal_expect_silence(journal, 50);
  journal_free(journal);
}

static void free_in_log(tim_client client, int32_t level, const char *line, void *user_data) {
  if (tim_client_free(client) == TIM_OK) journal_write(user_data, "freed");
  (void)level, (void)line;
}

static void free_in_question(tim_client client, uint64_t request, const char *user_id,
                             void *user_data) {
  CHECK_OK(tim_client_free(client));
  CHECK_CODE(tim_provide_ticket(client, request, "ok"), TIM_NOT_INITIALIZED);
  journal_write(user_data, "freed");
  (void)user_id;
}

static void freed_in_the_others(void) {
  struct journal *journal = journal_new();
  tim_config config = config_for(journal);
  tim_client client;
  config.on_log = free_in_log;
  config.log_level = TIM_LOG_DEBUG;
  client = client_with(&config, journal);
  CHECK_OK(tim_login(client, "alice", "ok", NULL, NULL));
  journal_await(journal, "freed");
  journal_await(journal, "destroyed");
  journal_free(journal);

  journal = journal_new();
  config = config_for(journal);
  config.ticket_provider = free_in_question;
  client = client_with(&config, journal);
  CHECK_OK(tim_login(client, "alice", "expires=1000", NULL, NULL));
  journal_await(journal, "freed");
  journal_await(journal, "destroyed");
  journal_free(journal);
}

static void *free_client(void *client) {
  tim_code code = tim_client_free(*(tim_client *)client);
  CHECK(code == TIM_OK || code == TIM_NOT_INITIALIZED);
  return NULL;
}

static void freed_by_many(void) {
  struct journal *journal = journal_new();
  tim_client client = client_for(journal);
  pthread_t threads[4];
  CHECK_OK(login(client, journal, "alice", "silent"));
  for (int i = 0; i < 4; i++) pthread_create(&threads[i], NULL, free_client, &client);
  for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
  CHECK(journal_find(journal, "destroyed") != NULL); /* none returned before the end */
  journal_free(journal);
}

/* ---- tim_set_event_callback ---- */

static atomic_int entered, may_leave, left;

static void slow_callback(tim_client client, const tim_event *event, void *user_data) {
  entered = 1;
  while (!may_leave) sleep_ms(1);
  sleep_ms(30);
  left = 1;
  (void)client, (void)event, (void)user_data;
}

static void *let_leave(void *argument) {
  while (!entered) sleep_ms(1);
  sleep_ms(30);
  may_leave = 1;
  return argument;
}

static void replaced(void) {
  struct journal *journal = journal_new();
  tim_client client = client_for(journal);
  pthread_t thread;
  CHECK_OK(tim_set_event_callback(client, slow_callback, NULL));
  CHECK_OK(login(client, journal, "alice", "ok"));
  while (!entered) sleep_ms(1);
  pthread_create(&thread, NULL, let_leave, NULL);
  CHECK_OK(tim_set_event_callback(client, journal_event, journal)); /* waits for slow_callback */
  CHECK(left);
  pthread_join(thread, NULL);
  journal_await(journal, "login alice: TIM_OK");
  CHECK(journal_find(journal, "logging in") == NULL); /* the one that slow_callback heard */
  CHECK(journal_find(journal, "logged in") != NULL);

  CHECK_OK(tim_set_event_callback(client, NULL, NULL));
  CHECK_OK(logout(client, journal));
  EXPECT(journal, "logout: TIM_OK");
  CHECK_OK(tim_client_free(client));
  EXPECT(journal, "destroyed");
  journal_free(journal);
}

static void replace_itself(tim_client client, const tim_event *event, void *user_data) {
  journal_write(user_data, "the first hears event %d", (int)event->kind);
  CHECK_OK(tim_set_event_callback(client, journal_event, user_data));
}

static void replaced_by_itself(void) {
  struct journal *journal = journal_new();
  tim_client client = client_for(journal);
  CHECK_OK(tim_set_event_callback(client, replace_itself, journal));
  CHECK_OK(login(client, journal, "alice", "ok"));
  EXPECT(journal, "the first hears event 4", "connecting", "connected", "logged in", "ready",
         "login alice: TIM_OK");
  end(client, journal);
}

/* ---- a callback that takes its time ---- */

static void slow_done(tim_client client, const tim_result *result, void *call) {
  entered = 1;
  while (!may_leave) sleep_ms(1);
  journal_done(client, result, call);
}

/* The thread that brought the answer may be the one that tells it: all else must go on without it. */
static void slow_answer(void) {
  struct journal *journal = journal_new(), *other = journal_new();
  tim_client client = client_for(journal), another = client_for(other);
  entered = may_leave = 0;
  CHECK_OK(tim_login(client, "alice", "ok after=50 kick=2,3,x", slow_done,
                     journal_call(journal, "login alice")));
  while (!entered) sleep_ms(1);
  while (tim_get_login_status(client) != TIM_LOGGED_OUT) sleep_ms(1); /* the kick was read */
  login_alice(another, other, "ok");
  CHECK_OK(login(client, journal, "bob", "ok"));
  while (!tim_is_ready(client)) sleep_ms(1);
  end(another, other);
  may_leave = 1;
  EXPECT(journal, "logging in", "connecting", "connected", "logged in", "ready",
         "login alice: TIM_OK", "kicked: TIM_KICKED_OFFLINE, reason 2, by 3 called x", "logged out",
         "not ready", "disconnected: TIM_OK", "logging in", "connecting", "connected", "logged in",
         "ready", "login bob: TIM_OK");
  end(client, journal);
}

/* ---- many clients, other processes ---- */

static void all_the_room(void) {
  enum { MOST = 4096 };
  static tim_client clients[MOST];
  tim_config config = TIM_CONFIG_INIT;
  tim_client one_more, reused;
  config.url = server_url;
  config.sdk_app_id = 1;
  config.platform = TIM_PLATFORM_WEB;
  for (int i = 0; i < MOST; i++) CHECK_OK(tim_client_new(&config, &clients[i]));
  CHECK_CODE(tim_client_new(&config, &one_more), TIM_OUT_OF_MEMORY);
  CHECK_OK(tim_client_free(clients[7]));
  CHECK_OK(tim_client_new(&config, &reused));
  CHECK(reused != clients[7]);
  CHECK_CODE(tim_get_login_status(clients[7]), TIM_NOT_INITIALIZED);
  CHECK_CODE(tim_get_login_status(reused), TIM_LOGGED_OUT);
  clients[7] = reused;
  for (int i = 0; i < MOST; i++) CHECK_OK(tim_client_free(clients[i]));
}

/* The child checks by its exit code: a failed CHECK would flush what the parent has buffered. */
static int in_child(tim_client client, const tim_config *config) {
  tim_client other;
  int64_t unix_ms;
  char user[TIM_USER_ID_SIZE];
  size_t size = sizeof user;
  if (tim_get_login_status(client) != TIM_LOGGED_IN || !tim_is_ready(client)) return 1;
  if (tim_get_login_user(client, user, &size) || strcmp(user, "alice") != 0) return 2;
  if (tim_get_server_time(client, &unix_ms) || unix_ms == 0) return 3;
  if (strcmp(tim_code_name(TIM_OK), "TIM_OK") != 0) return 4;
  if (tim_login(client, "bob", "ok", NULL, NULL) != TIM_INVALID_OPERATION) return 5;
  if (tim_logout(client, NULL, NULL) != TIM_INVALID_OPERATION) return 6;
  if (tim_renew(client, "ok", NULL, NULL) != TIM_INVALID_OPERATION) return 7;
  if (tim_provide_ticket(client, 1, "ok") != TIM_INVALID_OPERATION) return 8;
  if (tim_wake(client) != TIM_INVALID_OPERATION) return 9;
  if (tim_set_background(client, 1) != TIM_INVALID_OPERATION) return 10;
  if (tim_set_event_callback(client, NULL, NULL) != TIM_INVALID_OPERATION) return 11;
  if (tim_client_new(config, &other) != TIM_INVALID_OPERATION) return 12;
  if (tim_client_free(client) != TIM_INVALID_OPERATION) return 13;
  return 0;
}

static void forked(void) {
  struct journal *journal = journal_new();
  tim_config config = config_for(journal);
  tim_client client = client_with(&config, journal);
  pid_t child;
  int status;
  login_alice(client, journal, "ok");
  child = fork();
  CHECK(child >= 0);
  if (child == 0) _exit(in_child(client, &config));
  CHECK(waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
  CHECK_OK(logout(client, journal)); /* nothing of this touched the parent */
  journal_await(journal, "logout: TIM_OK");
  end(client, journal);
}

#ifdef TIM_TESTING
static void contained(void) {
  for (int where = TIM_TESTING_IN_CALL; where <= TIM_TESTING_IN_DELIVERY; where++) {
    struct journal *journal = journal_new();
    tim_client client = client_for(journal);
    CHECK_OK(login(client, journal, "alice", "silent"));
    journal_await(journal, "connecting");
    CHECK_CODE(tim_testing_panic(client, where),
               where == TIM_TESTING_IN_CALL ? TIM_INTERNAL : TIM_OK);
    journal_await(journal, "closed: TIM_INTERNAL");
    EXPECT(journal, "destroyed");
    CHECK(journal_find(journal, "login alice: TIM_INTERRUPTED") != NULL);
    tim_client_free(client); /* it may be gone already; if not, this waits for it */
    CHECK_CODE(tim_client_free(client), TIM_NOT_INITIALIZED);
    journal_free(journal);
  }
}
#endif

const struct story life_stories[] = {
    {"a client freed while logging in answers before the end", freed_while_logging_in},
    {"a client can be freed inside an event", freed_in_event},
    {"a client can be freed inside the answer of a call", freed_in_done},
    {"a client can be freed inside a log line and a ticket question", freed_in_the_others},
    {"whoever frees a client waits for its end", freed_by_many},
    {"an event callback that was replaced is not running", replaced},
    {"an event callback can replace itself", replaced_by_itself},
    {"a slow answer holds up the news of its client, and nothing else", slow_answer},
    {"there is room for 4,096 clients, and again", all_the_room},
    {"a child of fork can look, and is told that it can do no more", forked},
#ifdef TIM_TESTING
    {"a mistake of ours closes a client, not the program", contained},
#endif
    {NULL, NULL},
};
