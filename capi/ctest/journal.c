#include "journal.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LINES 256
#define LINE 512
#define PATIENCE_MS 60000 /* only what hangs takes so long, on any machine */

struct journal {
  pthread_mutex_t mutex;
  pthread_cond_t written;
  char lines[LINES][LINE];
  int count, read;
  uint64_t ticket_request;
  pthread_t maker;
  int inside; /* a callback runs; without the mutex, so that TSan sees if there is no order */
  int destroyed;
};

struct call {
  struct journal *journal;
  char name[64];
};

struct journal *journal_new(void) {
  struct journal *j = calloc(1, sizeof *j);
  pthread_condattr_t clock;
  CHECK(j != NULL);
  j->maker = pthread_self();
  pthread_mutex_init(&j->mutex, NULL);
  pthread_condattr_init(&clock);
  pthread_condattr_setclock(&clock, CLOCK_MONOTONIC); /* somebody may set the other one */
  pthread_cond_init(&j->written, &clock);
  pthread_condattr_destroy(&clock);
  return j;
}

void journal_free(struct journal *j) {
  pthread_mutex_lock(&j->mutex); /* who wrote the last line may still hold it */
  pthread_mutex_unlock(&j->mutex);
  pthread_cond_destroy(&j->written);
  pthread_mutex_destroy(&j->mutex);
  free(j);
}

void journal_write(struct journal *j, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  pthread_mutex_lock(&j->mutex);
  CHECK(j->count < LINES);
  vsnprintf(j->lines[j->count++], LINE, format, arguments);
  pthread_cond_broadcast(&j->written);
  pthread_mutex_unlock(&j->mutex);
  va_end(arguments);
}

static void dump(struct journal *j) {
  for (int i = 0; i < j->count; i++) {
    fprintf(stderr, "  %s %s\n", i < j->read ? " " : ">", j->lines[i]);
  }
}

/* Returns the next unread line, or NULL if none comes in time. */
static const char *next_line(struct journal *j, int ms) {
  struct timespec end;
  const char *line = NULL;
  clock_gettime(CLOCK_MONOTONIC, &end);
  end.tv_sec += ms / 1000;
  end.tv_nsec += ms % 1000 * 1000000L;
  if (end.tv_nsec >= 1000000000) end.tv_sec++, end.tv_nsec -= 1000000000;
  pthread_mutex_lock(&j->mutex);
  while (j->read == j->count) {
    if (pthread_cond_timedwait(&j->written, &j->mutex, &end) != 0) break;
  }
  if (j->read < j->count) line = j->lines[j->read++];
  pthread_mutex_unlock(&j->mutex);
  return line;
}

void journal_expect(struct journal *j, ...) {
  va_list lines;
  const char *want;
  va_start(lines, j);
  while ((want = va_arg(lines, const char *))) {
    const char *got = next_line(j, PATIENCE_MS);
    if (!got || strcmp(got, want) != 0) {
      fprintf(stderr, "got  %s\nwant %s\nin\n", got ? got : "nothing", want);
      dump(j);
      exit(1);
    }
  }
  va_end(lines);
}

void journal_await(struct journal *j, const char *want) {
  const char *got;
  do {
    got = next_line(j, PATIENCE_MS);
    if (!got) {
      fprintf(stderr, "waited in vain for %s in\n", want);
      dump(j);
      exit(1);
    }
  } while (strcmp(got, want) != 0);
}

void journal_expect_silence(struct journal *j, int ms) {
  const char *got = next_line(j, ms);
  if (got) {
    fprintf(stderr, "got  %s\nwant silence in\n", got);
    dump(j);
    exit(1);
  }
}

const char *journal_find(struct journal *j, const char *beginning) {
  const char *found = NULL;
  pthread_mutex_lock(&j->mutex);
  for (int i = 0; i < j->count && !found; i++) {
    if (strncmp(j->lines[i], beginning, strlen(beginning)) == 0) found = j->lines[i];
  }
  pthread_mutex_unlock(&j->mutex);
  return found;
}

int journal_contains(struct journal *j, const char *part) {
  int found = 0;
  pthread_mutex_lock(&j->mutex);
  for (int i = 0; i < j->count && !found; i++) found = strstr(j->lines[i], part) != NULL;
  pthread_mutex_unlock(&j->mutex);
  return found;
}

/* What holds for every callback. */
static void enter(struct journal *j) {
  CHECK(!j->destroyed);
  CHECK(!pthread_equal(j->maker, pthread_self()));
  CHECK(!j->inside++);
}

static void leave(struct journal *j) { j->inside--; }

void journal_event(tim_client client, const tim_event *e, void *user_data) {
  static const char *const statuses[] = {"logged out", "logging in", "logged in"};
  struct journal *j = user_data;
  enter(j);
  CHECK(client != 0);
  CHECK(e->struct_size == sizeof *e && e->text && e->by_label);
  switch (e->kind) {
  case TIM_EVENT_CONNECTING:
    journal_write(j, "connecting");
    break;
  case TIM_EVENT_CONNECTED:
    journal_write(j, e->resumed ? "connected again" : "connected");
    break;
  case TIM_EVENT_DISCONNECTED:
    journal_write(j, "disconnected: %s", tim_code_name(e->code));
    break;
  case TIM_EVENT_LOGIN_STATUS:
    CHECK(e->login_status >= 0 && e->login_status <= 2);
    journal_write(j, "%s", statuses[e->login_status]);
    break;
  case TIM_EVENT_READY:
    journal_write(j, e->ready ? "ready" : "not ready");
    break;
  case TIM_EVENT_KICKED_OFFLINE:
    CHECK(e->at_ms > 1700000000000 && e->text[0]);
    journal_write(j, "kicked: %s, reason %d, by %d called %s", tim_code_name(e->code),
                  (int)e->kick_reason, (int)e->by_platform, e->by_label);
    break;
  case TIM_EVENT_USER_SIG_WILL_EXPIRE:
    CHECK(e->at_ms > 1700000000000);
    journal_write(j, "ticket ends soon");
    break;
  case TIM_EVENT_USER_SIG_EXPIRED:
    journal_write(j, "ticket ended: %s", tim_code_name(e->code));
    break;
  case TIM_EVENT_CLOSED:
    CHECK(e->code == TIM_OK || e->text[0]);
    journal_write(j, "closed: %s", tim_code_name(e->code));
    break;
  default:
    journal_write(j, "unknown event %d", (int)e->kind);
  }
  leave(j);
}

void journal_log(tim_client client, int32_t level, const char *line, void *user_data) {
  enter(user_data);
  CHECK(client != 0);
  CHECK(level == TIM_LOG_DEBUG || level == TIM_LOG_INFO || level == TIM_LOG_WARN ||
        level == TIM_LOG_ERROR);
  journal_write(user_data, "log: %s", line);
  leave(user_data);
}

void journal_ticket_wanted(tim_client client, uint64_t request, const char *user_id,
                           void *user_data) {
  struct journal *j = user_data;
  enter(j);
  CHECK(client != 0);
  pthread_mutex_lock(&j->mutex);
  j->ticket_request = request;
  pthread_mutex_unlock(&j->mutex);
  journal_write(j, "ticket wanted for %s", user_id);
  leave(j);
}

uint64_t journal_ticket_request(struct journal *j) {
  uint64_t request;
  pthread_mutex_lock(&j->mutex);
  request = j->ticket_request;
  pthread_mutex_unlock(&j->mutex);
  return request;
}

void journal_destroy(void *user_data) {
  struct journal *j = user_data;
  enter(j);
  pthread_mutex_lock(&j->mutex);
  j->destroyed = 1;
  CHECK(j->count < LINES);
  strcpy(j->lines[j->count++], "destroyed");
  pthread_cond_broadcast(&j->written);
  pthread_mutex_unlock(&j->mutex); /* the last that this thread does with it */
}

void *journal_call(struct journal *j, const char *name) {
  struct call *call = calloc(1, sizeof *call);
  CHECK(call != NULL);
  call->journal = j;
  snprintf(call->name, sizeof call->name, "%s", name);
  return call;
}

void journal_done(tim_client client, const tim_result *result, void *user_data) {
  struct call *call = user_data;
  enter(call->journal);
  CHECK(client != 0);
  CHECK(result->struct_size == sizeof *result && result->text && result->session);
  CHECK((result->code == TIM_OK) == (result->text[0] == 0));
  journal_write(call->journal, "%s: %s%s", call->name, tim_code_name(result->code),
                result->repeat_login ? ", repeated" : "");
  leave(call->journal);
  free(call);
}
