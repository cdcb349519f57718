/* The life of a login: its answers, and what happens to it when another call comes. */
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "story.h"

static int64_t local_ms(void) {
  struct timeval now;
  gettimeofday(&now, NULL);
  return (int64_t)now.tv_sec * 1000 + now.tv_usec / 1000;
}

static const char *user_of(tim_client client) {
  static char user[TIM_USER_ID_SIZE];
  size_t size = sizeof user;
  CHECK_OK(tim_get_login_user(client, user, &size));
  return user;
}

static void login_and_logout(void) {
  struct journal *journal = journal_new();
  tim_client client = client_for(journal);
  int64_t server_ms, ahead;
  CHECK_CODE(tim_get_login_status(client), TIM_LOGGED_OUT);
  CHECK_CODE(tim_get_server_time(client, &server_ms), TIM_NOT_LOGGED_IN);

  login_alice(client, journal, "ok");
  CHECK_CODE(tim_get_login_status(client), TIM_LOGGED_IN);
  CHECK(tim_is_ready(client) == 1);
  CHECK(strcmp(user_of(client), "alice") == 0);
  CHECK_OK(tim_get_server_time(client, &server_ms));
  ahead = server_ms - local_ms() - 3600 * 1000; /* the fake server's clock is an hour ahead */
  CHECK(ahead > -2000 && ahead < 2000);

  CHECK_OK(tim_wake(client));
  CHECK_OK(tim_set_background(client, 1));
  CHECK_OK(tim_set_background(client, 0));

  CHECK_OK(logout(client, journal));
  EXPECT(journal, "logged out", "not ready", "disconnected: TIM_OK", "logout: TIM_OK");
  CHECK_CODE(tim_get_login_status(client), TIM_LOGGED_OUT);
  CHECK(tim_is_ready(client) == 0);
  CHECK(user_of(client)[0] == 0);
  CHECK_OK(tim_get_server_time(client, &server_ms)); /* known from now on */

  CHECK_OK(logout(client, journal));
  EXPECT(journal, "logout: TIM_NOT_LOGGED_IN");
  CHECK_OK(renew(client, journal, "ok"));
  EXPECT(journal, "renew: TIM_NOT_LOGGED_IN");
  end(client, journal);
}

/* Inside each callback, the getters say what it tells or what came after it; to the end of a client they say nothing more. */
static void check_getters(tim_client client, const tim_event *event, void *user_data) {
  if (tim_get_login_status(client) == TIM_NOT_INITIALIZED) {
    journal_event(client, event, user_data);
    return;
  }
  if (event->kind == TIM_EVENT_LOGIN_STATUS) {
    CHECK(tim_get_login_status(client) != TIM_LOGGED_OUT);
    if (event->login_status == TIM_LOGGED_IN) {
      CHECK_CODE(tim_get_login_status(client), TIM_LOGGED_IN);
      CHECK(strcmp(user_of(client), "alice") == 0);
    }
  }
  if (event->kind == TIM_EVENT_READY) CHECK(tim_is_ready(client) == event->ready);
  journal_event(client, event, user_data);
  if (event->kind == TIM_EVENT_LOGIN_STATUS) sleep_ms(30); /* so that nothing is true by luck */
}

static void check_result(tim_client client, const tim_result *result, void *user_data) {
  CHECK_OK(result->code);
  CHECK_CODE(tim_get_login_status(client), TIM_LOGGED_IN);
  CHECK(strncmp(result->session, "session-", 8) == 0);
  CHECK(result->ticket_expires_ms > local_ms() + 24 * 3600 * 1000);
  journal_done(client, result, user_data);
}

static void state_before_events(void) {
  struct journal *journal = journal_new();
  tim_client client = client_for(journal);
  CHECK_OK(tim_set_event_callback(client, check_getters, journal));
  CHECK_OK(tim_login(client, "alice", "ok", check_result, journal_call(journal, "login")));
  EXPECT(journal, "logging in", "connecting", "connected", "logged in", "ready", "login: TIM_OK");
  end(client, journal);
}

static void refusals(void) {
  static const tim_code codes[] = {
      TIM_TICKET_EXPIRED,      TIM_TICKET_EMPTY,        TIM_TICKET_UNREADABLE,
      TIM_TICKET_MALFORMED,    TIM_TICKET_KEY_MISMATCH, TIM_TICKET_USER_MISMATCH,
      TIM_TICKET_APP_MISMATCH, TIM_TICKET_KEY_MISSING,  TIM_APP_NOT_FOUND,
      TIM_TOO_MANY_FAILURES,   TIM_ACCOUNT_BANNED,      TIM_TICKET_REVOKED,
      TIM_SECURITY_RESTRICTED, TIM_DAILY_ACTIVE_LIMIT,
  };
  struct journal *journal = journal_new();
  tim_client client = client_for(journal);
  for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
    char ticket[32], answer[64];
    snprintf(ticket, sizeof ticket, "refuse=%d", (int)codes[i]);
    snprintf(answer, sizeof answer, "login alice: %s", tim_code_name(codes[i]));
    CHECK_OK(login(client, journal, "alice", ticket));
    journal_await(journal, answer);
    CHECK_CODE(tim_get_login_status(client), TIM_LOGGED_OUT);
  }
  login_alice(client, journal, "ok");
  end(client, journal);
}

static void spent_ticket(void) {
  struct journal *journal = journal_new();
  tim_client client = client_for(journal);
  CHECK_OK(login(client, journal, "alice", "refuse=70001"));
  journal_await(journal, "login alice: TIM_TICKET_EXPIRED");
  CHECK_OK(login(client, journal, "alice", "refuse=70001"));
  EXPECT(journal, "login alice: TIM_USER_SIG_EXPIRED"); /* nothing else happened */
  end(client, journal);
}

static void repeated(void) {
  struct journal *journal = journal_new();
  tim_client client = client_for(journal);
  login_alice(client, journal, "ok");
  CHECK_OK(login(client, journal, "alice", "ok"));
  EXPECT(journal, "login alice: TIM_OK, repeated");
  CHECK_OK(login(client, journal, "alice", "ok newer"));
  EXPECT(journal, "login alice: TIM_OK, repeated");
  journal_expect_silence(journal, 50);
  end(client, journal);
}

static void joined(void) {
  struct journal *journal = journal_new();
  tim_client client = client_for(journal);
  CHECK_OK(login(client, journal, "alice", "slow=200"));
  CHECK_OK(login(client, journal, "alice", "slow=200"));
  EXPECT(journal, "logging in", "connecting", "connected", "logged in", "ready",
         "login alice: TIM_OK", "login alice: TIM_OK");
  end(client, journal);
}

static void superseded(void) {
  struct journal *journal = journal_new();
  tim_client client = client_for(journal);
  CHECK_OK(login(client, journal, "alice", "silent"));
  CHECK_OK(login(client, journal, "alice", "ok"));
  journal_await(journal, "login alice: TIM_OK");
  EXPECT(journal, "login alice: TIM_OK");

  CHECK_OK(logout(client, journal));
  journal_await(journal, "logout: TIM_OK");
  CHECK_OK(login(client, journal, "alice", "silent"));
  CHECK_OK(login(client, journal, "bob", "ok"));
  journal_await(journal, "login alice: TIM_LOGGED_OUT_BEFORE_LOGIN_FINISHED");
  journal_await(journal, "login bob: TIM_OK");
  CHECK(strcmp(user_of(client), "bob") == 0);
  end(client, journal);
}

static void switched(void) {
  struct journal *journal = journal_new();
  tim_client client = client_for(journal);
  login_alice(client, journal, "ok");
  CHECK_OK(login(client, journal, "bob", "ok"));
  journal_await(journal, "login bob: TIM_OK");
  CHECK(strcmp(user_of(client), "bob") == 0);
  journal_expect_silence(journal, 50);
  end(client, journal);
}

static void given_up(void) {
  struct journal *journal = journal_new();
  tim_client client = client_for(journal);
  CHECK_OK(login(client, journal, "alice", "silent"));
  EXPECT(journal, "logging in", "connecting");
  CHECK_OK(logout(client, journal));
  journal_await(journal, "login alice: TIM_LOGGED_OUT_BEFORE_LOGIN_FINISHED");
  journal_await(journal, "logout: TIM_OK");
  CHECK_CODE(tim_get_login_status(client), TIM_LOGGED_OUT);
  end(client, journal);
}

/* A login where there is no server that lets it in. */
struct attempt {
  const char *url, *ticket;
  tim_code expected;
  struct journal *journal;
  tim_client client;
};

static void begin(struct attempt *a) {
  tim_config config;
  a->journal = journal_new();
  config = config_for(a->journal);
  config.url = a->url;
  config.allow_insecure = 1;
  config.login_timeout_ms =
      4000; /* all of it, as one tries again; a busy machine needs time even to fail */
  a->client = client_with(&config, a->journal);
  CHECK_OK(login(a->client, a->journal, "alice", a->ticket));
}

static void fails(struct attempt *a) {
  char answer[64];
  snprintf(answer, sizeof answer, "login alice: %s", tim_code_name(a->expected));
  journal_await(a->journal, answer);
  CHECK_CODE(tim_get_login_status(a->client), TIM_LOGGED_OUT);
  end(a->client, a->journal);
}

static void unreachable(void) {
  char secure[256];
  struct attempt all[] = {
      {"ws://127.0.0.1:1/", "ok", TIM_CONNECT_REFUSED, NULL, 0},
      {"ws://nobody..invalid/", "ok", TIM_HOST_NOT_FOUND, NULL, 0}, /* no name server is asked */
      {server_path("no-websocket"), "ok", TIM_CONNECT_RESET, NULL, 0},
      {secure, "ok", TIM_TLS_FAILED, NULL, 0},
      {server_url, "silent", TIM_ACK_TIMEOUT, NULL, 0},
      {server_url, "cut", TIM_DISCONNECTED, NULL, 0},
      {server_url, "garbage", TIM_PARSE_FAILED, NULL, 0},
  };
  size_t count = sizeof all / sizeof *all;
  snprintf(secure, sizeof secure, "wss%s", strchr(server_url, ':'));
  for (size_t i = 0; i < count; i++) begin(&all[i]); /* at the same time: they mostly wait */
  for (size_t i = 0; i < count; i++) fails(&all[i]);
}

const struct story login_stories[] = {
    {"a login and a logout, with all they tell", login_and_logout},
    {"the getters never lag behind a callback", state_before_events},
    {"each refusal of a server has its code, and another try is welcome", refusals},
    {"a ticket that the server called expired is not sent again", spent_ticket},
    {"a repeated login succeeds at once and says so", repeated},
    {"a login joins one under way", joined},
    {"a newer login of the same or another user takes over", superseded},
    {"a login of another user switches", switched},
    {"a logout ends a login under way", given_up},
    {"each way not to reach a server has its code", unreachable},
    {NULL, NULL},
};
