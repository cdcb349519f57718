/* Everybody does everything at once: melee URL SECONDS THREADS [USER TICKET]...
 *
 * Each thread has a client after the other, for a few milliseconds, in a seat; intruders do to the clients in all seats what
 * a host may do, with callbacks of their own and from threads of their own: call, look, change who hears the events, answer
 * the ticket provider, free. So do callbacks. With a server that also does everything it may (chaos, as a
 * ticket of fakeserver's) nobody knows what should happen, but what tim.h promises: each call that is taken is answered
 * once, callbacks come one at a time and events in an order that makes sense, nobody who does not hear any more is told
 * anything, and nothing comes after the end. */
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "order.h"

#define MAX_SEATS 16
#define INTRUDERS 4
#define ALIVE 0x600d
#define GONE 0xdead

/* What belongs to one client; on_destroy frees it. */
struct world {
  int alive;
  int keeps_ear; /* the order of its events is checked */
  int inside;    /* a callback runs; not atomic, so that TSan sees if there is no order */
  unsigned seed;
  struct seat *seat;
  struct order order;
  atomic_int *destroyed;
};

/* Who hears the events for a while. Whoever takes its place frees it. */
struct ear {
  int alive;
  struct world *world;
};

/* A call that may be answered. Whoever is not the client's own thread does not know its world. */
struct call {
  int alive;
  struct world *world;
};

struct seat {
  pthread_mutex_t mutex; /* guards who hears; never taken by a callback */
  struct ear *ear;
  struct world *world; /* that of client, as long as there is such a client */
  int keeps_ear;
  _Atomic tim_client client;
  atomic_ullong request;
};

static const char *url, *users[MAX_SEATS], *tickets[MAX_SEATS];
static int people;
static atomic_int over, lives, taken, answered, events, freed_inside, freed_by_others;
static struct seat seats[MAX_SEATS];

static unsigned any(unsigned *seed, unsigned n) { return (unsigned)rand_r(seed) % n; }

static void pause_us(unsigned us) {
  struct timespec time = {0, (long)us * 1000};
  nanosleep(&time, NULL);
}

static void act(tim_client client, struct world *w, unsigned *seed);

static void enter(struct world *w) {
  CHECK(w->alive == ALIVE);
  CHECK(!w->inside++);
}

/* leave ends a callback, perhaps with a call from inside it. */
static void leave(struct world *w, tim_client client) {
  unsigned what = any(&w->seed, 60);
  if (what < 8) act(client, w, &w->seed);
  if (what == 8) {
    if (tim_client_free(client) == TIM_OK) freed_inside++;
    CHECK(tim_get_login_status(client) == TIM_NOT_INITIALIZED);
  }
  if (what == 9) pause_us(any(&w->seed, 3000));
  w->inside--;
}

static void on_event(tim_client client, const tim_event *event, void *user_data) {
  struct ear *ear = user_data;
  struct world *w = ear->world;
  CHECK(ear->alive == ALIVE);
  enter(w);
  events++;
  if (w->keeps_ear) order_event(&w->order, event);
  leave(w, client);
  CHECK(ear->alive == ALIVE);
}

static void on_log(tim_client client, int32_t level, const char *line, void *user_data) {
  CHECK(level >= TIM_LOG_DEBUG && strlen(line) > 0);
  enter(user_data);
  leave(user_data, client);
}

static void on_ticket_wanted(tim_client client, uint64_t request, const char *user_id,
                             void *user_data) {
  struct world *w = user_data;
  CHECK(user_id[0] != 0);
  enter(w);
  w->seat->request = request;
  leave(w, client);
}

static void on_destroy(void *user_data) {
  struct world *w = user_data;
  CHECK(w->alive == ALIVE && !w->inside);
  w->alive = GONE;
  atomic_fetch_add(w->destroyed, 1);
  free(w);
}

static void on_done(tim_client client, const tim_result *result, void *user_data) {
  struct call *call = user_data;
  CHECK(result->struct_size == sizeof *result && strlen(result->text) < 1000);
  CHECK(call->alive == ALIVE);
  if (call->world) {
    enter(call->world);
    leave(call->world, client);
  }
  call->alive = GONE;
  free(call);
  answered++;
}

static void count(tim_code code, struct call *call) {
  if (code == TIM_OK) {
    taken++;
    return;
  }
  CHECK(code == TIM_NOT_INITIALIZED || code == TIM_QUEUE_FULL || code == TIM_OUT_OF_MEMORY);
  free(call);
}

static void look(tim_client client) {
  char user[TIM_USER_ID_SIZE];
  size_t size = sizeof user;
  int64_t unix_ms;
  int32_t status = tim_get_login_status(client);
  CHECK((status >= TIM_LOGGED_OUT && status <= TIM_LOGGED_IN) || status == TIM_NOT_INITIALIZED);
  if (tim_get_login_user(client, user, &size) == TIM_OK) CHECK(strlen(user) + 1 == size);
  tim_get_server_time(client, &unix_ms);
}

/* What every thread may do at any moment, also inside a callback. */
static void act(tim_client client, struct world *w, unsigned *seed) {
  int who = (int)any(seed, (unsigned)people);
  struct call *call = malloc(sizeof *call);
  const char *user = users[who],
             *ticket = tickets[any(seed, 8) ? who : (int)any(seed, (unsigned)people)];
  CHECK(call != NULL);
  call->alive = ALIVE;
  call->world = w;
  switch (any(seed, 10)) {
  case 0:
  case 1:
  case 2:
    count(tim_login(client, user, ticket, on_done, call), call);
    return;
  case 3:
    count(tim_logout(client, on_done, call), call);
    return;
  case 4:
    count(tim_renew(client, ticket, on_done, call), call);
    return;
  case 5:
    tim_set_background(client, (int)any(seed, 2));
    break;
  case 6:
    look(client);
    break;
  default:
    tim_wake(client);
  }
  free(call);
}

static struct ear *new_ear(struct world *w) {
  struct ear *ear = malloc(sizeof *ear);
  CHECK(ear != NULL);
  ear->alive = ALIVE;
  ear->world = w;
  return ear;
}

/* listen gives the client another ear, or none. Once it returns, the one before hears nothing and may go. */
static void listen(struct seat *s, tim_client client, int nobody) {
  struct ear *ear;
  pthread_mutex_lock(&s->mutex);
  ear = nobody ? NULL : new_ear(s->world);
  if (s->client == client && !s->keeps_ear &&
      tim_set_event_callback(client, ear ? on_event : NULL, ear) == TIM_OK) {
    struct ear *before = s->ear;
    s->ear = ear;
    ear = before;
  }
  if (ear) ear->alive = GONE;
  free(ear);
  pthread_mutex_unlock(&s->mutex);
}

static void intrude_once(struct seat *s, unsigned *seed) {
  tim_client client = s->client;
  switch (any(seed, 12)) {
  case 0:
    tim_provide_ticket(client, s->request - any(seed, 2), any(seed, 4) ? tickets[0] : NULL);
    break;
  case 1:
  case 2:
    listen(s, client, any(seed, 3) == 0);
    break;
  case 3:
    if (any(seed, 10) || tim_client_free(client) != TIM_OK) break;
    CHECK(tim_get_login_status(client) == TIM_NOT_INITIALIZED);
    freed_by_others++;
    break;
  default:
    act(client, NULL, seed);
  }
}

static void *intrude(void *argument) {
  unsigned seed = 1000 + (unsigned)(intptr_t)argument + (unsigned)getpid();
  while (!over) {
    intrude_once(&seats[any(&seed, MAX_SEATS)], &seed);
    pause_us(any(&seed, 300));
  }
  return NULL;
}

static tim_client sit_down(struct seat *s, struct world *w) {
  tim_config config = TIM_CONFIG_INIT;
  tim_client client;
  config.url = url;
  config.sdk_app_id = (uint64_t)(getenv("TIM_APP") ? atoll(getenv("TIM_APP")) : 1);
  config.platform = any(&w->seed, 2) ? TIM_PLATFORM_ANDROID : TIM_PLATFORM_WINDOWS;
  config.login_timeout_ms = 300;
  config.logout_timeout_ms = 50;
  config.on_log = any(&w->seed, 3) ? NULL : on_log;
  config.log_level = TIM_LOG_DEBUG;
  config.ticket_provider = any(&w->seed, 2) ? on_ticket_wanted : NULL;
  config.on_destroy = on_destroy;
  config.user_data = w;
  CHECK_OK(tim_client_new(&config, &client));
  pthread_mutex_lock(&s->mutex);
  s->keeps_ear = w->keeps_ear;
  s->ear = new_ear(w);
  s->world = w;
  CHECK_OK(tim_set_event_callback(client, on_event, s->ear));
  s->client = client; /* from now on others may free it */
  pthread_mutex_unlock(&s->mutex);
  return client;
}

static void live(struct seat *s, unsigned *seed) {
  struct world *w = calloc(1, sizeof *w);
  atomic_int destroyed = 0;
  tim_client client;
  CHECK(w != NULL);
  w->alive = ALIVE;
  w->seed = (unsigned)rand_r(seed);
  w->keeps_ear = (int)any(seed, 2);
  w->seat = s;
  w->destroyed = &destroyed;
  client = sit_down(s, w);
  for (int i = (int)any(seed, 30); i >= 0; i--) {
    act(client, w, seed);
    pause_us(any(seed, 4000));
  }
  if (tim_client_free(client) == TIM_OK) CHECK(destroyed == 1);
  while (!destroyed) pause_us(100); /* somebody else has freed it, and is about to return */
  CHECK(destroyed == 1);
  pthread_mutex_lock(&s->mutex);
  s->client = 0;
  free(s->ear);
  s->ear = NULL;
  pthread_mutex_unlock(&s->mutex);
  lives++;
}

static void *run(void *argument) {
  int number = (int)(intptr_t)argument;
  unsigned seed = 1 + (unsigned)number + (unsigned)getpid();
  while (!over) live(&seats[number], &seed);
  return NULL;
}

int main(int argc, char **argv) {
  pthread_t threads[MAX_SEATS], intruders[INTRUDERS];
  int count, seconds;
  CHECK(argc >= 4 && argc % 2 == 0);
  url = argv[1];
  seconds = atoi(argv[2]);
  count = atoi(argv[3]);
  CHECK(count > 0 && count <= MAX_SEATS && seconds > 0);
  for (people = 0; 5 + 2 * people < argc && people < MAX_SEATS; people++) {
    users[people] = argv[4 + 2 * people];
    tickets[people] = argv[5 + 2 * people];
  }
  if (people == 0) {
    users[people] = "alice", tickets[people++] = "chaos";
    users[people] = "alice", tickets[people++] = "chaos again";
    users[people] = "bob", tickets[people++] = "chaos";
    users[people] = "alice", tickets[people++] = "expires=40";
    users[people] = "alice", tickets[people++] = "ok";
  }
  alarm((unsigned)seconds + 500); /* ends what hangs */
  for (int i = 0; i < MAX_SEATS; i++) pthread_mutex_init(&seats[i].mutex, NULL);
  for (int i = 0; i < INTRUDERS; i++)
    pthread_create(&intruders[i], NULL, intrude, (void *)(intptr_t)i);
  for (int i = 0; i < count; i++) pthread_create(&threads[i], NULL, run, (void *)(intptr_t)i);
  for (int i = 0; i < seconds || !events || !freed_inside; i++) sleep(1);
  over = 1;
  for (int i = 0; i < count; i++) pthread_join(threads[i], NULL);
  for (int i = 0; i < INTRUDERS; i++) pthread_join(intruders[i], NULL);
  CHECK(taken == answered);
  CHECK(taken > 0);
  printf("%d clients, %d calls taken and answered, %d events, %d freed inside a callback, %d by "
         "others\n",
         (int)lives, (int)taken, (int)events, (int)freed_inside, (int)freed_by_others);
  return 0;
}
