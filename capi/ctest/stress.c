/* Threads make, use and free clients at random: stress URL THREADS ROUNDS
 *
 * Each round is a client with calls of all kinds, freed at any moment, from its thread or from one of its own
 * callbacks, while two intruders use the clients of everybody, freed ones included. What a callback is given is freed
 * in on_destroy, so a sanitizer sees one that comes later. Checked besides: one callback of a client at a time, and
 * an answer for each call that was taken. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "check.h"

#define MAX_THREADS 16
#define INTRUDERS 2
#define ALIVE 0x600d

struct world {
  int alive;
  tim_client client;
  int inside;             /* a callback runs; not atomic, so that TSan sees if there is no order */
  int callbacks, free_at; /* free the client inside this callback; 0: never */
  atomic_int pending;     /* calls that were taken and not answered */
  atomic_int *destroyed;
};

static const char *url;
static atomic_int over, taken, answered, events, freed_inside;
static _Atomic tim_client current[MAX_THREADS];

static const char *const tickets[] = {
    "ok",  "ok",          "slow=5", "silent",        "refuse=70009",
    "cut", "expires=300", "ok cut", "ok kick=1,3,x", "ok expire",
};

static const char *any_ticket(unsigned *seed) {
  return tickets[rand_r(seed) % (sizeof tickets / sizeof *tickets)];
}
static const char *any_user(unsigned *seed) { return rand_r(seed) % 4 ? "alice" : "bob"; }

static void pause_us(unsigned us) {
  struct timespec time = {0, (long)us * 1000};
  nanosleep(&time, NULL);
}

static void check_callback(struct world *w, tim_client client) {
  CHECK(w->alive == ALIVE);
  CHECK(client == w->client);
  CHECK(!w->inside++);
  if (++w->callbacks == w->free_at) {
    tim_code code = tim_client_free(client);
    CHECK(code == TIM_OK);
    freed_inside++;
  }
  w->inside--;
}

static void on_event(tim_client client, const tim_event *event, void *user_data) {
  CHECK(event->struct_size == sizeof *event);
  CHECK(strlen(event->text) < 1000 && strlen(event->by_label) < 100);
  events++;
  check_callback(user_data, client);
}

static void on_done(tim_client client, const tim_result *result, void *user_data) {
  struct world *w = user_data;
  CHECK(result->struct_size == sizeof *result && strlen(result->text) < 1000);
  CHECK(atomic_fetch_sub(&w->pending, 1) > 0);
  answered++;
  check_callback(w, client);
}

static void on_ticket_wanted(tim_client client, uint64_t request, const char *user_id,
                             void *user_data) {
  CHECK(strcmp(user_id, "alice") == 0 || strcmp(user_id, "bob") == 0);
  check_callback(user_data, client);
  tim_provide_ticket(client, request, "ok");
}

static void on_log(tim_client client, int32_t level, const char *line, void *user_data) {
  CHECK(level >= TIM_LOG_DEBUG && strlen(line) > 0);
  check_callback(user_data, client);
}

static void on_destroy(void *user_data) {
  struct world *w = user_data;
  atomic_int *destroyed = w->destroyed;
  CHECK(w->alive == ALIVE);
  CHECK(w->pending == 0 && !w->inside);
  w->alive = 0xdead;
  free(w);
  atomic_fetch_add(destroyed, 1);
}

static void look(tim_client client) {
  char user[TIM_USER_ID_SIZE];
  size_t size = sizeof user;
  int64_t unix_ms;
  int32_t status = tim_get_login_status(client);
  CHECK((status >= TIM_LOGGED_OUT && status <= TIM_LOGGED_IN) || status == TIM_NOT_INITIALIZED);
  CHECK(tim_is_ready(client) <= 1);
  if (tim_get_login_user(client, user, &size) == TIM_OK) {
    CHECK(user[0] == 0 || strcmp(user, "alice") == 0 || strcmp(user, "bob") == 0);
  }
  tim_get_server_time(client, &unix_ms);
}

/* The answer can come before the call returns, so it is counted before. */
static void count(struct world *w, tim_code code) {
  if (code == TIM_OK) {
    taken++;
    return;
  }
  CHECK(code == TIM_NOT_INITIALIZED || code == TIM_QUEUE_FULL);
  w->pending--;
}

static void act(struct world *w, tim_client client, unsigned *seed) {
  switch (rand_r(seed) % 8) {
  case 0:
  case 1:
  case 2:
    w->pending++;
    count(w, tim_login(client, any_user(seed), any_ticket(seed), on_done, w));
    break;
  case 3:
    w->pending++;
    count(w, tim_logout(client, on_done, w));
    break;
  case 4:
    w->pending++;
    count(w, tim_renew(client, any_ticket(seed), on_done, w));
    break;
  case 5:
    tim_wake(client);
    break;
  case 6:
    tim_set_background(client, rand_r(seed) % 2);
    break;
  default:
    look(client);
    pause_us(rand_r(seed) % 3000);
  }
}

/* A client that frees itself inside a callback takes its world along, so this thread must not touch it any more: it
 * makes one login and waits. */
static void one_round(int number, unsigned *seed) {
  struct world *w = calloc(1, sizeof *w);
  tim_config config = TIM_CONFIG_INIT;
  atomic_int destroyed = 0;
  tim_client client;
  int frees_itself = rand_r(seed) % 3 == 0;

  CHECK(w != NULL);
  w->alive = ALIVE;
  w->destroyed = &destroyed;
  config.url = url;
  config.sdk_app_id = 1;
  config.platform = TIM_PLATFORM_ANDROID;
  config.on_log = rand_r(seed) % 4 ? NULL : on_log;
  config.log_level = TIM_LOG_DEBUG;
  config.ticket_provider = rand_r(seed) % 2 ? on_ticket_wanted : NULL;
  config.on_destroy = on_destroy;
  config.user_data = w;
  CHECK_OK(tim_client_new(&config, &w->client));
  client = w->client;
  CHECK_OK(tim_set_event_callback(client, on_event, w));

  if (frees_itself) {
    w->free_at = 1 + rand_r(seed) % 6;
    w->pending = 1;
    CHECK_OK(tim_login(client, "alice", "ok", on_done, w));
    taken++;
    current[number] = client; /* now others may bring it to its end, too */
    while (!destroyed) pause_us(100);
    return;
  }
  current[number] = client;
  for (int i = rand_r(seed) % 12; i >= 0; i--) act(w, client, seed);
  CHECK_OK(tim_client_free(client));
  CHECK(destroyed == 1);
}

static int rounds;

static void *run(void *argument) {
  int number = (int)(intptr_t)argument;
  unsigned seed = 1 + (unsigned)number;
  for (int i = 0; i < rounds; i++) one_round(number, &seed);
  return NULL;
}

static void *intrude(void *argument) {
  unsigned seed = 1000 + (unsigned)(intptr_t)argument;
  while (!over) {
    tim_client client = current[(unsigned)rand_r(&seed) % MAX_THREADS];
    look(client);
    if (rand_r(&seed) % 4 == 0) tim_login(client, any_user(&seed), any_ticket(&seed), NULL, NULL);
    tim_wake(client);
    pause_us(200);
  }
  return NULL;
}

int main(int argc, char **argv) {
  pthread_t threads[MAX_THREADS], intruders[INTRUDERS];
  int count;
  CHECK(argc == 4);
  url = argv[1];
  count = atoi(argv[2]);
  rounds = atoi(argv[3]);
  CHECK(count > 0 && count <= MAX_THREADS && rounds > 0);
  for (int i = 0; i < INTRUDERS; i++)
    pthread_create(&intruders[i], NULL, intrude, (void *)(intptr_t)i);
  for (int i = 0; i < count; i++) pthread_create(&threads[i], NULL, run, (void *)(intptr_t)i);
  for (int i = 0; i < count; i++) pthread_join(threads[i], NULL);
  over = 1;
  for (int i = 0; i < INTRUDERS; i++) pthread_join(intruders[i], NULL);
  CHECK(taken == answered);
  CHECK(taken > 0 && events > 0 && freed_inside > 0);
  printf("%d clients, %d calls taken and answered, %d events, %d clients freed inside a callback\n",
         count * rounds, (int)taken, (int)events, (int)freed_inside);
  return 0;
}
