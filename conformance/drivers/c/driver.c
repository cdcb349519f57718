/* The conformance driver of tim.h: it turns lines of its input into calls, and prints one line for
 * each event and each answer. conformance/README.md lists the lines. */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tim.h"

enum { LINE = 8192, WORDS = 16, QUESTIONS = 16 };

static tim_client client;

/* When line is heard, then is done, inside the callback. lock guards these and the questions. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char line[LINE], then[LINE];
static uint64_t questions[QUESTIONS]; /* of the ticket provider, oldest first */
static int asked, answered;

static const char *const statuses[] = {"logged_out", "logging_in", "logged_in"};
static const char *const platforms[] = {"0",       "ios", "ipad",  "android",
                                        "windows", "mac", "linux", "web"};
static const char *const reasons[] = {"0",        "multiple_account", "multiple_device",
                                      "rest_api", "replaced",         "account_deleted"};

static const char *name(tim_code code) {
  static _Thread_local char unknown[16];
  switch (code) {
#define CODE(constant, name, text, retry) \
  case constant: \
    return name;
    TIM_CODE_MAP(CODE)
  }
  sprintf(unknown, "Code%d", (int)code);
  return unknown;
}

static void run(char *command);

/* Runs in callbacks only. */
static void hear(const char *heard) {
  char command[LINE] = "";
  puts(heard);
  pthread_mutex_lock(&lock);
  if (strcmp(heard, line) == 0) {
    strcpy(command, then);
    line[0] = 0;
  }
  pthread_mutex_unlock(&lock);
  if (command[0]) run(command);
}

static void on_event(tim_client c, const tim_event *e, void *user_data) {
  char text[LINE] = "";
  (void)c, (void)user_data;
  switch (e->kind) {
  case TIM_EVENT_CONNECTING:
    strcpy(text, "connecting");
    break;
  case TIM_EVENT_CONNECTED:
    sprintf(text, "connected %s", e->resumed ? "resumed" : "first");
    break;
  case TIM_EVENT_DISCONNECTED:
    sprintf(text, "disconnected %s", name(e->code));
    break;
  case TIM_EVENT_LOGIN_STATUS:
    strcpy(text, statuses[e->login_status]);
    break;
  case TIM_EVENT_READY:
    sprintf(text, "ready %s", e->ready ? "true" : "false");
    break;
  case TIM_EVENT_KICKED_OFFLINE:
    snprintf(text, sizeof text, "kicked_offline %s reason=%s by=%s at=%" PRId64 " label=%s",
             name(e->code), reasons[e->kick_reason], platforms[e->by_platform], e->at_ms,
             e->by_label);
    break;
  case TIM_EVENT_USER_SIG_WILL_EXPIRE:
    sprintf(text, "user_sig_will_expire at=%" PRId64, e->at_ms);
    break;
  case TIM_EVENT_USER_SIG_EXPIRED:
    sprintf(text, "user_sig_expired %s", name(e->code));
    break;
  case TIM_EVENT_CLOSED:
    sprintf(text, "closed %s", name(e->code));
    break;
  default:
    sprintf(text, "event %d", e->kind);
  }
  hear(text);
}

/* what names the call, such as "login alice". */
static void on_done(tim_client c, const tim_result *r, void *what) {
  char text[LINE];
  int login = strncmp(what, "login ", 6) == 0 && r->code == TIM_OK;
  int n = snprintf(text, sizeof text, "%s %s", (char *)what, name(r->code));
  (void)c;
  if (login)
    snprintf(text + n, sizeof text - n, "%s session=%s at=%" PRId64,
             r->repeat_login ? " repeat" : "", r->session, r->ticket_expires_ms);
  free(what);
  hear(text);
}

static void on_ticket(tim_client c, uint64_t request, const char *user, void *user_data) {
  (void)c, (void)user_data;
  pthread_mutex_lock(&lock);
  questions[asked++ % QUESTIONS] = request;
  pthread_mutex_unlock(&lock);
  printf("ticket_wanted %s\n", user);
}

static void provide(const char *ticket) {
  pthread_mutex_lock(&lock);
  uint64_t request = questions[answered++ % QUESTIONS];
  pthread_mutex_unlock(&lock);
  tim_provide_ticket(client, request, *ticket ? ticket : NULL);
}

static int number(const char *const *words, int count, const char *word) {
  for (int i = 0; i < count; i++)
    if (strcmp(words[i], word) == 0) return i;
  return 0;
}

static void open_client(char **settings, int count) {
  tim_config config = TIM_CONFIG_INIT;
  for (int i = 0; i < count; i++) {
    char *key = settings[i], *value = strchr(key, '=');
    if (value == NULL) abort();
    *value++ = 0;
    if (strcmp(key, "url") == 0)
      config.url = value;
    else if (strcmp(key, "app") == 0)
      config.sdk_app_id = strtoull(value, NULL, 10);
    else if (strcmp(key, "platform") == 0)
      config.platform = number(platforms, 8, value);
    else if (strcmp(key, "label") == 0)
      config.label = value;
    else if (strcmp(key, "instance") == 0)
      config.instance = value;
    else if (strcmp(key, "login_timeout") == 0)
      config.login_timeout_ms = atoi(value);
    else if (strcmp(key, "logout_timeout") == 0)
      config.logout_timeout_ms = atoi(value);
    else if (strcmp(key, "provider") == 0)
      config.ticket_provider = on_ticket;
    else
      abort();
  }
  tim_client opened;
  tim_code code = tim_client_new(&config, &opened);
  if (code == TIM_OK) {
    client = opened;
    tim_set_event_callback(client, on_event, NULL);
  }
  printf("open %s\n", name(code));
}

/* Prints a call that failed at once; otherwise its answer comes. */
static void started(char *what, tim_code code) {
  if (code == TIM_OK) return;
  printf("%s %s\n", what, name(code));
  free(what);
}

static void status(void) {
  char user[TIM_USER_ID_SIZE] = "";
  size_t size = sizeof user;
  int32_t now = tim_get_login_status(client);
  tim_get_login_user(client, user, &size);
  printf("status %s ready=%s user=%s\n", now <= TIM_LOGGED_IN ? statuses[now] : statuses[0],
         tim_is_ready(client) ? "true" : "false", user);
}

static void server_time(void) {
  int64_t ms;
  if (tim_get_server_time(client, &ms) == TIM_OK)
    printf("time at=%" PRId64 "\n", ms);
  else
    puts("time unknown");
}

/* Words are separated by tabs and may be empty. The command is cut into them. */
static void run(char *command) {
  char *rest = strchr(command, '\t'), *word[WORDS] = {0};
  int count = 0;
  if (strncmp(command, "upon\t", 5) == 0) {
    char *what = command + 5, *after = strchr(what, '\t');
    pthread_mutex_lock(&lock);
    sprintf(line, "%.*s", (int)(after - what), what);
    strcpy(then, after + 1);
    pthread_mutex_unlock(&lock);
    return;
  }
  if (rest != NULL) *rest++ = 0;
  while (rest != NULL && count < WORDS) {
    word[count++] = rest;
    if ((rest = strchr(rest, '\t')) != NULL) *rest++ = 0;
  }
  if (strcmp(command, "open") == 0) {
    open_client(word, count);
  } else if (strcmp(command, "login") == 0) {
    char *what = malloc(strlen(word[0]) + 7);
    sprintf(what, "login %s", word[0]);
    started(what, tim_login(client, word[0], word[1], on_done, what));
  } else if (strcmp(command, "logout") == 0) {
    char *what = strdup("logout");
    started(what, tim_logout(client, on_done, what));
  } else if (strcmp(command, "renew") == 0) {
    char *what = strdup("renew");
    started(what, tim_renew(client, word[0], on_done, what));
  } else if (strcmp(command, "provide") == 0)
    provide(word[0]);
  else if (strcmp(command, "wake") == 0)
    tim_wake(client);
  else if (strcmp(command, "background") == 0)
    tim_set_background(client, strcmp(word[0], "yes") == 0);
  else if (strcmp(command, "status") == 0)
    status();
  else if (strcmp(command, "time") == 0)
    server_time();
  else if (strcmp(command, "close") == 0) {
    tim_client_free(client);
    puts("close done");
  } else
    abort();
}

int main(void) {
  char command[LINE];
  setvbuf(stdout, NULL, _IOLBF, 0);
  while (fgets(command, sizeof command, stdin)) {
    command[strcspn(command, "\n")] = 0;
    run(command);
    puts(".");
  }
  return 0;
}
