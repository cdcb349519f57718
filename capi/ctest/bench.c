/* Measures the C face; prints one figure a line, as "NAME VALUE UNIT".
 *
 *     bench calls URL            what a getter and a call into Go cost
 *     bench logins URL COUNT     round trips, each over a new connection, from tim_login to its answer
 *     bench-load LIBRARY         dlopen and first call, memory added (with -DTIM_BENCH_LOAD, which links no libtim)
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

static int64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

#ifdef TIM_BENCH_LOAD

static long resident_kb(void) {
  long pages = 0, resident = 0;
  FILE *statm = fopen("/proc/self/statm", "r");
  CHECK(statm != NULL);
  CHECK(fscanf(statm, "%ld %ld", &pages, &resident) == 2);
  fclose(statm);
  return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

int main(int argc, char **argv) {
  long before = resident_kb();
  int64_t start = now_ns();
  void *library = argc == 2 ? dlopen(argv[1], RTLD_NOW) : NULL;
  tim_code (*set_background)(tim_client, int32_t);
  tim_code (*new_abi)(const tim_config *, tim_client *, uint32_t);
  tim_config config = TIM_CONFIG_INIT;
  tim_client client;
  int64_t loaded, called;
  CHECK(library != NULL);
  loaded = now_ns();
  *(void **)&new_abi = dlsym(library, "tim_client_new_abi");
  *(void **)&set_background = dlsym(library, "tim_set_background");
  CHECK(new_abi && set_background);
  config.url = "ws://127.0.0.1:1/";
  config.sdk_app_id = 1;
  config.platform = TIM_PLATFORM_LINUX;
  CHECK(new_abi(&config, &client, TIM_ABI_VERSION) == 0);
  CHECK(set_background(client, 1) == 0);
  called = now_ns();
  printf("load %.2f ms\nload-and-first-call %.2f ms\nmemory-added %ld KB\n",
         (double)(loaded - start) / 1e6, (double)(called - start) / 1e6, resident_kb() - before);
  return 0;
}

#else

#  ifndef PAUSE_US
#    define PAUSE_US 2000 /* between logins, until the server has forgotten the last connection */
#  endif

static int by_value(const void *a, const void *b) {
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

static tim_client new_client(const char *url) {
  tim_config config = TIM_CONFIG_INIT;
  tim_client client;
  config.url = url;
  config.sdk_app_id = 1400000001;
  config.platform = TIM_PLATFORM_LINUX;
  CHECK_OK(tim_client_new(&config, &client));
  return client;
}

/* ---- calls ---- */

#  define BURSTS 41

/* The least and the median of many short bursts: the least is what it costs when nobody disturbs. */
#  define MEASURE(name, count, statement) \
    do { \
      int64_t bursts[BURSTS]; \
      for (int b = 0; b < BURSTS; b++) { \
        int64_t start = now_ns(); \
        for (int i = 0; i < (count); i++) { \
          statement; \
        } \
        bursts[b] = now_ns() - start; \
      } \
      qsort(bursts, BURSTS, sizeof *bursts, by_value); \
      printf("%s %.2f ns\n%s-median %.2f ns\n", name, (double)bursts[0] / (count), name, \
             (double)bursts[BURSTS / 2] / (count)); \
    } while (0)

static volatile int64_t sink;

static void print_median(const char *name, int64_t *took, int count) {
  qsort(took, (size_t)count, sizeof *took, by_value);
  printf("%s %.0f ns\n", name, (double)took[count / 2]);
}

/* One at a time: everything sleeps in between, and caches forget. */
#  define MEASURE_RESTED(name, expression) \
    do { \
      int64_t took_[200]; \
      for (int i_ = 0; i_ < 200; i_++) { \
        int64_t start_; \
        usleep(1000); \
        start_ = now_ns(); \
        expression; \
        took_[i_] = now_ns() - start_; \
      } \
      print_median(name, took_, 200); \
    } while (0)

struct first_call {
  tim_client client;
  int64_t took;
};

static void *call_first(void *argument) {
  struct first_call *call = argument;
  int64_t start = now_ns();
  CHECK_CODE(tim_provide_ticket(call->client, 0, NULL), TIM_INVALID_OPERATION);
  call->took = now_ns() - start;
  return NULL;
}

static void measure_first_call(tim_client client) {
  int64_t took[50];
  for (int i = 0; i < 50; i++) {
    struct first_call call = {client, 0};
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, call_first, &call) == 0);
    pthread_join(thread, NULL);
    took[i] = call.took;
  }
  print_median("first-call", took, 50);
}

static int calls(const char *url) {
  tim_client client = new_client(url);
  char user[TIM_USER_ID_SIZE];
  size_t size;
  int64_t ms;
  CHECK_OK(tim_login(client, "alice", "ok", NULL, NULL));
  while (tim_get_login_status(client) != TIM_LOGGED_IN) usleep(1000);
  MEASURE("tim_get_login_status", 1000000, sink = tim_get_login_status(client));
  MEASURE("tim_is_ready", 1000000, sink = tim_is_ready(client));
  MEASURE("tim_get_login_user", 100000, size = sizeof user;
          sink = tim_get_login_user(client, user, &size));
  MEASURE("tim_get_server_time", 100000, tim_get_server_time(client, &ms));
  MEASURE("tim_code_text", 100000, sink = (intptr_t)tim_code_text(TIM_TICKET_EXPIRED));
  MEASURE("refused-login", 20000, sink = tim_login(client, "", "ok", NULL, NULL));
  MEASURE("late-ticket", 20000, sink = tim_provide_ticket(client, 0, NULL));
  MEASURE("step", 20000, CHECK_OK(tim_set_background(client, 1)));
  MEASURE_RESTED("rested-late-ticket", sink = tim_provide_ticket(client, 0, NULL));
  MEASURE_RESTED("rested-step", CHECK_OK(tim_set_background(client, 1)));
  MEASURE_RESTED("rested-wake", CHECK_OK(tim_wake(client)));
  measure_first_call(client);
  CHECK_OK(tim_client_free(client));
  return 0;
}

/* ---- logins ---- */

/* The answer that the main thread waits for, and when it came. */
static struct {
  pthread_mutex_t mutex;
  pthread_cond_t came;
  int64_t at;
} answer = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0};

static void on_answer(tim_client client, const tim_result *result, void *user_data) {
  int64_t at = now_ns();
  (void)client, (void)user_data;
  CHECK_OK(result->code);
  pthread_mutex_lock(&answer.mutex);
  answer.at = at;
  pthread_cond_signal(&answer.came);
  pthread_mutex_unlock(&answer.mutex);
}

static int64_t wait_for_answer(void) {
  int64_t at;
  pthread_mutex_lock(&answer.mutex);
  while (!answer.at) pthread_cond_wait(&answer.came, &answer.mutex);
  at = answer.at;
  answer.at = 0;
  pthread_mutex_unlock(&answer.mutex);
  return at;
}

/* As an application does it: the call on its own thread, the answer in the callback. */
static int logins(const char *url, int count) {
  tim_client client = new_client(url);
  int64_t *took = calloc((size_t)count, sizeof *took);
  CHECK(took != NULL);
  for (int i = 0; i < count; i++) {
    int64_t start = now_ns();
    CHECK_OK(tim_login(client, "alice", "ok", on_answer, NULL));
    took[i] = wait_for_answer() - start;
    CHECK_OK(tim_logout(client, on_answer, NULL));
    wait_for_answer();
    usleep(PAUSE_US);
  }
  CHECK_OK(tim_client_free(client));
  qsort(took, (size_t)count, sizeof *took, by_value);
  printf("login %.1f us\nlogin-p99 %.1f us\n", (double)took[count / 2] / 1e3,
         (double)took[count * 99 / 100] / 1e3);
  free(took);
  return 0;
}

int main(int argc, char **argv) {
  if (argc == 3 && !strcmp(argv[1], "calls")) return calls(argv[2]);
  if (argc == 4 && !strcmp(argv[1], "logins")) return logins(argv[2], atoi(argv[3]));
  fprintf(stderr, "usage: bench calls URL | bench logins URL COUNT\n");
  return 2;
}

#endif
