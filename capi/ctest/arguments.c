/* What bad input gets: a code at once, no callback, no crash. */
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "story.h"

#define NOT_UTF8 "caf\xe9"

static void never_called(tim_client client, const tim_result *result, void *user_data) {
  CHECK(!"a call that was refused is answered");
  (void)client, (void)result, (void)user_data;
}

/* Every function that takes a client, on a number that is none. */
static void expect_no_client(tim_client client) {
  char user[TIM_USER_ID_SIZE] = "untouched";
  size_t size = sizeof user;
  int64_t unix_ms = 1;
  CHECK_CODE(tim_set_event_callback(client, journal_event, NULL), TIM_NOT_INITIALIZED);
  CHECK_CODE(tim_login(client, "alice", "ok", never_called, NULL), TIM_NOT_INITIALIZED);
  CHECK_CODE(tim_logout(client, never_called, NULL), TIM_NOT_INITIALIZED);
  CHECK_CODE(tim_renew(client, "ok", never_called, NULL), TIM_NOT_INITIALIZED);
  CHECK_CODE(tim_provide_ticket(client, 1, "ok"), TIM_NOT_INITIALIZED);
  CHECK_CODE(tim_wake(client), TIM_NOT_INITIALIZED);
  CHECK_CODE(tim_set_background(client, 1), TIM_NOT_INITIALIZED);
  CHECK_CODE(tim_get_login_status(client), TIM_NOT_INITIALIZED);
  CHECK(tim_is_ready(client) == 0);
  CHECK_CODE(tim_get_login_user(client, user, &size), TIM_NOT_INITIALIZED);
  CHECK(strcmp(user, "untouched") == 0 && size == sizeof user);
  CHECK_CODE(tim_get_server_time(client, &unix_ms), TIM_NOT_INITIALIZED);
  CHECK(unix_ms == 0);
  CHECK_CODE(tim_client_free(client), TIM_NOT_INITIALIZED);
}

static void no_client(void) {
  struct journal *journal = journal_new();
  tim_client client = client_for(journal);
  expect_no_client(0);
  expect_no_client(1);
  expect_no_client(UINT64_MAX);
  expect_no_client(client + 1);
  expect_no_client(client + (UINT64_C(1) << 32)); /* the slot's next generation */
  CHECK_CODE(tim_get_login_status(client), TIM_LOGGED_OUT);
  end(client, journal);
  expect_no_client(client);
}

static void null_arguments(void) {
  struct journal *journal = journal_new();
  tim_config config = config_for(journal);
  tim_client client = 5;
  CHECK_CODE(tim_client_new(NULL, &client), TIM_INVALID_PARAMETERS);
  CHECK(client == 0);
  CHECK_CODE(tim_client_new(&config, NULL), TIM_INVALID_PARAMETERS);

  client = client_with(&config, journal);
  CHECK_CODE(tim_login(client, NULL, "ok", never_called, NULL), TIM_INVALID_PARAMETERS);
  CHECK_CODE(tim_login(client, "alice", NULL, never_called, NULL), TIM_INVALID_PARAMETERS);
  CHECK_CODE(tim_renew(client, NULL, never_called, NULL), TIM_INVALID_PARAMETERS);
  CHECK_CODE(tim_get_login_user(client, NULL, NULL), TIM_INVALID_PARAMETERS);
  CHECK_CODE(tim_get_server_time(client, NULL), TIM_INVALID_PARAMETERS);
  CHECK_CODE(tim_provide_ticket(client, 1, NULL), TIM_INVALID_OPERATION); /* nobody asked */

  CHECK_OK(tim_login(client, "alice", "ok", NULL, NULL)); /* nobody listens for the answer */
  journal_await(journal, "ready");
  CHECK_OK(tim_logout(client, NULL, NULL));
  journal_await(journal, "disconnected: TIM_OK");
  end(client, journal);
}

static char *letters(size_t length) {
  char *text = malloc(length + 1);
  CHECK(text != NULL);
  memset(text, 'a', length);
  text[length] = 0;
  return text;
}

static void bad_logins(void) {
  static const struct {
    const char *user_id;
    tim_code code;
  } users[] = {
      {"", TIM_INVALID_PARAMETERS},
      {"abcdefghijklmnopqrstuvwxyz1234567", TIM_INVALID_PARAMETERS}, /* 33 */
      {NOT_UTF8, TIM_INVALID_PARAMETERS},
      {"two\nlines", TIM_INVALID_USER_ID},
      {"delete\x7f", TIM_INVALID_USER_ID},
      {"caf\xc3\xa9", TIM_INVALID_USER_ID},
  };
  struct journal *journal = journal_new();
  tim_client client = client_for(journal);
  char *large = letters(1 << 20);
  for (size_t i = 0; i < sizeof users / sizeof *users; i++) {
    CHECK_CODE(tim_login(client, users[i].user_id, "ok", never_called, NULL), users[i].code);
  }
  CHECK_CODE(tim_login(client, large, "ok", never_called, NULL), TIM_INVALID_PARAMETERS);
  CHECK_CODE(tim_login(client, "alice", "", never_called, NULL), TIM_INVALID_PARAMETERS);
  CHECK_CODE(tim_login(client, "alice", large, never_called, NULL), TIM_INVALID_PARAMETERS);
  CHECK_CODE(tim_login(client, "alice", NOT_UTF8, never_called, NULL), TIM_INVALID_PARAMETERS);
  CHECK_CODE(tim_renew(client, "", never_called, NULL), TIM_INVALID_PARAMETERS);
  CHECK_CODE(tim_renew(client, large, never_called, NULL), TIM_INVALID_PARAMETERS);
  CHECK_CODE(tim_renew(client, NOT_UTF8, never_called, NULL), TIM_INVALID_PARAMETERS);
  CHECK_CODE(tim_provide_ticket(client, 1, NOT_UTF8), TIM_INVALID_PARAMETERS);
  CHECK_CODE(tim_get_login_status(client), TIM_LOGGED_OUT);
  journal_expect_silence(journal, 50);
  free(large);
  end(client, journal);
}

/* The config that one test changes, and the code that follows. */
static void expect_config(const char *what, tim_config config, tim_code expected) {
  tim_client client = 5;
  tim_code code = tim_client_new(&config, &client);
  if (code != expected) {
    fprintf(stderr, "%s: %s instead of %s\n", what, tim_code_name(code), tim_code_name(expected));
    exit(1);
  }
  CHECK((client != 0) == (expected == TIM_OK));
  if (client) CHECK_OK(tim_client_free(client));
}

static void bad_configs(void) {
  tim_config good = TIM_CONFIG_INIT, c;
  char *large = letters(1 << 20), *label = letters(65);
  good.url = server_url;
  good.sdk_app_id = 1;
  good.platform = TIM_PLATFORM_WEB;
#define BAD(change) \
  do { \
    c = good; \
    change; \
    expect_config(#change, c, TIM_INVALID_PARAMETERS); \
  } while (0)
  expect_config("good", good, TIM_OK);
  BAD(c.url = NULL);
  BAD(c.url = "");
  BAD(c.url = "tim.example.com");
  BAD(c.url = "https://tim.example.com");
  BAD(c.url = "ws://tim.example.com");
  BAD(c.url = "wss://\xff");
  BAD(c.url = NOT_UTF8);
  BAD(c.sdk_app_id = 0);
  BAD(c.platform = 0);
  BAD(c.platform = 99);
  BAD(c.platform = -1);
  BAD(c.label = label);
  BAD(c.label = NOT_UTF8);
  BAD(c.label = large);
  BAD(c.instance = label);
  BAD(c.instance = NOT_UTF8);
  BAD(c.sdk = large);
  BAD(c.sdk = NOT_UTF8);
  BAD(c.data_dir = NOT_UTF8);
  BAD(c.ca_pem = "no certificate");
  BAD(c.ca_pem = NOT_UTF8);
  BAD(c.login_timeout_ms = -1);
  BAD(c.logout_timeout_ms = INT_MIN);
  BAD((c.log_level = 99, c.on_log = journal_log));
  c = good;
  c.data_dir = "/dev/null/impossible";
  expect_config("data_dir below a file", c, TIM_LOCAL_IO_FAILED);
  c = good;
  c.url = "ws://tim.example.com";
  c.allow_insecure = 1;
  expect_config("allow_insecure", c, TIM_OK);
  free(large);
  free(label);
}

static void other_versions(void) {
  struct {
    tim_config config;
    uint64_t later[4];
  } newer = {TIM_CONFIG_INIT, {0, 0, 0, 0}};
  tim_config config = TIM_CONFIG_INIT;
  tim_client client = 5;
  config.url = server_url;
  config.sdk_app_id = 1;
  config.platform = TIM_PLATFORM_IOS;

  CHECK_CODE(tim_client_new_abi(&config, &client, TIM_ABI_VERSION + 1), TIM_NOT_SUPPORTED);
  CHECK(client == 0);
  CHECK(tim_abi_version() == TIM_ABI_VERSION);
  CHECK(strcmp(tim_version(), TIM_VERSION_STRING) == 0);

  newer.config = config;
  newer.config.struct_size = sizeof newer;
  CHECK_OK(tim_client_new(&newer.config, &client));
  CHECK_OK(tim_client_free(client));
  newer.later[3] = 1;
  CHECK_CODE(tim_client_new(&newer.config, &client), TIM_NOT_SUPPORTED);

  config.struct_size = 0;
  expect_config("no struct_size", config, TIM_INVALID_PARAMETERS);
  config.struct_size = offsetof(tim_config, data_dir) - 1;
  expect_config("struct_size too small", config, TIM_INVALID_PARAMETERS);
  config.struct_size = offsetof(tim_config, data_dir) + 2;
  expect_config("struct_size within a pointer", config, TIM_INVALID_PARAMETERS);
  config.struct_size = offsetof(tim_config, data_dir);
  config.data_dir = (const char *)1; /* not part of it any more */
  expect_config("an older header", config, TIM_OK);
}

static void user_buffers(void) {
  struct journal *journal = journal_new();
  tim_client client = client_for(journal);
  char user[TIM_USER_ID_SIZE];
  size_t size = sizeof user;
  CHECK_OK(tim_get_login_user(client, user, &size));
  CHECK(size == 1 && user[0] == 0);

  CHECK_OK(login(client, journal, "abcdefghijklmnopqrstuvwxyz123456", "ok")); /* 32, the longest */
  journal_await(journal, "login abcdefghijklmnopqrstuvwxyz123456: TIM_OK");
  size = 0;
  CHECK_CODE(tim_get_login_user(client, NULL, &size), TIM_INVALID_PARAMETERS);
  CHECK(size == 33);
  size = 10;
  CHECK_CODE(tim_get_login_user(client, NULL, &size), TIM_INVALID_PARAMETERS);
  memset(user, 'x', sizeof user);
  size = 32;
  CHECK_CODE(tim_get_login_user(client, user, &size), TIM_INVALID_PARAMETERS);
  CHECK(size == 33 && user[0] == 'x');
  CHECK_OK(tim_get_login_user(client, user, &size));
  CHECK(size == 33 && strcmp(user, "abcdefghijklmnopqrstuvwxyz123456") == 0);

  CHECK_OK(login(client, journal, "bo", "ok"));
  journal_await(journal, "login bo: TIM_OK");
  size = sizeof user;
  CHECK_OK(tim_get_login_user(client, user, &size));
  CHECK(size == 3 && strcmp(user, "bo") == 0);
  end(client, journal);
}

static void codes_in_words(void) {
  CHECK(strcmp(tim_code_name(TIM_TICKET_EXPIRED), "TIM_TICKET_EXPIRED") == 0);
  CHECK(strcmp(tim_code_text(TIM_TICKET_EXPIRED), "the ticket is expired") == 0);
#define WORDS(constant, name, text, retry) \
  CHECK(strcmp(tim_code_name(constant), #constant) == 0); \
  CHECK(strcmp(tim_code_text(constant), text) == 0);
  TIM_CODE_MAP(WORDS)
#undef WORDS
  CHECK(strcmp(tim_code_name(-1), "TIM_UNKNOWN") == 0);
  CHECK(strcmp(tim_code_text(INT32_MAX), "unknown code") == 0);
}

const struct story argument_stories[] = {
    {"every function knows a number that is no client", no_client},
    {"NULL is a code, or nobody who listens", null_arguments},
    {"a userID or a ticket that cannot be is refused at once", bad_logins},
    {"a config that cannot be makes no client", bad_configs},
    {"a library and a header of different age notice", other_versions},
    {"tim_get_login_user says how much room the name needs", user_buffers},
    {"every code has a name and a sentence", codes_in_words},
    {NULL, NULL},
};
