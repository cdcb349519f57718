/* Hosts that make it hard: hosts MODE URL [LIBRARY...]
 *
 *   no-stdio        descriptors 0 to 2 are closed, as a daemon's are: what the host prints reaches nobody, no connection either
 *   no-descriptors  none is left: a login fails with a code, and the next one works when there are some again
 *   small-stacks    threads with the smallest stack there is make every call and hear every callback
 *   low-memory      address space for the runtime and little else: a client can be made, or the answer is a code
 *   two-copies      two copies of the library in one process, each with clients of its own
 *   unloaded        dlclose, with a client online, leaves all as it is
 *   unused          the library is loaded, nothing is called, and the process goes on with its own life; a child of it that
 *                   makes a client is told that it cannot */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

/* What a host calls, from the copy of the library that it means. */
struct library {
  tim_code (*client_new)(const tim_config *, tim_client *, uint32_t);
  tim_code (*login)(tim_client, const char *, const char *, tim_done_fn, void *);
  tim_code (*logout)(tim_client, tim_done_fn, void *);
  int32_t (*status)(tim_client);
  tim_code (*free)(tim_client);
};

static const struct library linked = {tim_client_new_abi, tim_login, tim_logout,
                                      tim_get_login_status, tim_client_free};
static const char *url;

static void answered(tim_client client, const tim_result *result, void *user_data) {
  (void)client;
  atomic_store((atomic_int *)user_data, result->code + 1);
}

static tim_code await(atomic_int *answer) {
  for (int i = 0; i < 120000 && !atomic_load(answer); i++) usleep(1000);
  CHECK(atomic_load(answer));
  return atomic_load(answer) - 1;
}

/* A client whose logins may take so long. */
static tim_client patient_client_of(const struct library *tim, int login_timeout_ms) {
  tim_config config = TIM_CONFIG_INIT;
  tim_client client;
  config.url = url;
  config.sdk_app_id = 1;
  config.platform = TIM_PLATFORM_LINUX;
  config.login_timeout_ms = login_timeout_ms;
  CHECK_OK(tim->client_new(&config, &client, TIM_ABI_VERSION));
  return client;
}

/* A busy machine is no failure. */
static tim_client client_of(const struct library *tim) { return patient_client_of(tim, 60000); }

static tim_code log_in(const struct library *tim, tim_client client) {
  atomic_int answer = 0;
  CHECK_OK(tim->login(client, "alice", "ok", answered, &answer));
  return await(&answer);
}

static void log_in_and_out(const struct library *tim) {
  atomic_int answer = 0;
  tim_client client = client_of(tim);
  CHECK_OK(log_in(tim, client));
  CHECK(tim->status(client) == TIM_LOGGED_IN);
  CHECK_OK(tim->logout(client, answered, &answer));
  CHECK_OK(await(&answer));
  CHECK_OK(tim->free(client));
}

/* ---- descriptors ------------------------------------------------------------------------------ */

static void no_stdio(void) {
  int report = fcntl(2, F_DUPFD, 10);
  tim_client client;
  CHECK(report >= 0);
  for (int fd = 0; fd <= 2; fd++) close(fd);
  client = client_of(&linked);
  CHECK_OK(log_in(&linked, client));
  for (int fd = 0; fd <= 2; fd++) {
    struct stat what;
    if (fstat(fd, &what) == 0 && S_ISSOCK(what.st_mode)) {
      dprintf(report,
              "descriptor %d is a connection of tim: the host's printf would write into it\n", fd);
      exit(1);
    }
    (void)!write(fd, "the host prints something\n", 26);
  }
  usleep(100 * 1000);
  CHECK(tim_get_login_status(client) == TIM_LOGGED_IN && tim_is_ready(client));
  CHECK_OK(tim_client_free(client));
}

static void no_descriptors(void) {
  struct rlimit limit, none;
  tim_client client = client_of(&linked);
  CHECK_OK(log_in(&linked, client)); /* the runtime has what it needs once and for all */
  CHECK_OK(tim_client_free(client));
  client = patient_client_of(&linked, 4000); /* one login lasts so long */
  CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
  none = limit;
  none.rlim_cur = 3;
  CHECK(setrlimit(RLIMIT_NOFILE, &none) == 0);
  CHECK(log_in(&linked, client) != TIM_OK);
  CHECK(tim_get_login_status(client) == TIM_LOGGED_OUT);
  CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
  CHECK_OK(log_in(&linked, client));
  CHECK_OK(tim_client_free(client));
}

/* ---- memory ----------------------------------------------------------------------------------- */

static void *small(void *unused) {
  for (int i = 0; i < 5; i++) log_in_and_out(&linked);
  return unused;
}

static void small_stacks(void) {
  pthread_t threads[8];
  pthread_attr_t attributes;
  CHECK(pthread_attr_init(&attributes) == 0);
  CHECK(pthread_attr_setstacksize(&attributes, PTHREAD_STACK_MIN) == 0);
  for (int i = 0; i < 8; i++) CHECK(pthread_create(&threads[i], &attributes, small, NULL) == 0);
  for (int i = 0; i < 8; i++) CHECK(pthread_join(threads[i], NULL) == 0);
}

/* Calls say that there is none. Where Go's runtime needs a thread or memory for itself and gets none, it says so and ends
 * the process, which nothing here can help. */
static void low_memory(void) {
  struct rlimit limit = {0, 0};
  tim_client clients[64];
  atomic_int answers[64] = {0};
  int made = 0, asked = 0, in = 0;
  unsigned long pages = 0;
  FILE *sizes;
  log_in_and_out(&linked);
  sizes = fopen("/proc/self/statm", "r");
  CHECK(sizes && fscanf(sizes, "%lu", &pages) == 1);
  fclose(sizes);
  limit.rlim_cur = limit.rlim_max = (pages << 12) + (60UL << 20);
  CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
  for (int i = 0; i < 64; i++) {
    tim_config config = TIM_CONFIG_INIT;
    tim_code code;
    config.url = url;
    config.sdk_app_id = 1;
    config.platform = TIM_PLATFORM_LINUX;
    code = tim_client_new(&config, &clients[made]);
    CHECK(code == TIM_OK || code == TIM_OUT_OF_MEMORY);
    if (code) continue;
    code = tim_login(clients[made], "alice", "ok", answered, &answers[made]);
    CHECK(code == TIM_OK || code == TIM_OUT_OF_MEMORY);
    if (code)
      tim_client_free(clients[made]);
    else
      made++;
    asked++;
  }
  for (int i = 0; i < made; i++) in += await(&answers[i]) == TIM_OK;
  for (int i = 0; i < made; i++) CHECK_OK(tim_client_free(clients[i]));
  CHECK(in > 0 && in < 64);
  printf("of 64 clients, %d were made and %d logged in; the others were told that there is no "
         "memory\n",
         asked, in);
}

/* ---- copies ----------------------------------------------------------------------------------- */

static void *find(void *handle, const char *name) {
  void *symbol = dlsym(handle, name);
  CHECK(symbol);
  return symbol;
}

static struct library load(const char *path, int and_close) {
  struct library tim;
  void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!handle) fprintf(stderr, "%s\n", dlerror());
  CHECK(handle);
  *(void **)&tim.client_new = find(handle, "tim_client_new_abi");
  *(void **)&tim.login = find(handle, "tim_login");
  *(void **)&tim.logout = find(handle, "tim_logout");
  *(void **)&tim.status = find(handle, "tim_get_login_status");
  *(void **)&tim.free = find(handle, "tim_client_free");
  if (and_close) CHECK(dlclose(handle) == 0);
  return tim;
}

static void two_copies(const char *first, const char *second) {
  struct library one = load(first, 0), other = load(second, 0);
  tim_client a, b;
  CHECK(one.login != other.login);
  a = client_of(&one), b = client_of(&other);
  CHECK_OK(log_in(&one, a));
  CHECK_OK(log_in(&other, b));
  for (int i = 0; i < 20; i++) log_in_and_out(i % 2 ? &one : &other);
  CHECK(one.status(a) == TIM_LOGGED_IN && other.status(b) == TIM_LOGGED_IN);
  CHECK_OK(one.free(a));
  CHECK(other.status(b) == TIM_LOGGED_IN);
  CHECK_OK(other.free(b));
}

static void unloaded(const char *path) {
  struct library tim = load(path, 1), again;
  tim_client client = client_of(&tim);
  CHECK_OK(log_in(&tim, client));
  again = load(path, 1);
  CHECK(again.login == tim.login && again.status(client) == TIM_LOGGED_IN);
  CHECK_OK(tim.free(client));
}

/* ---- nothing at all --------------------------------------------------------------------------- */

static volatile sig_atomic_t alarms;
static void on_alarm(int signal) { (void)signal, alarms++; }

static int in_child(void) {
  tim_config config = TIM_CONFIG_INIT;
  tim_client client;
  config.url = url;
  config.sdk_app_id = 1;
  config.platform = TIM_PLATFORM_LINUX;
  return tim_client_new(&config, &client) == TIM_INVALID_OPERATION ? 7 : 8;
}

static void unused(void) {
  struct sigaction action;
  int status;
  pid_t child;
  memset(&action, 0, sizeof action);
  action.sa_handler = on_alarm; /* without SA_ONSTACK, as most are */
  CHECK(sigaction(SIGALRM, &action, NULL) == 0);
  for (int i = 0; i < 50; i++) {
    CHECK(raise(SIGALRM) == 0);
    child = fork();
    if (child == 0) _exit(in_child());
    CHECK(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 7);
  }
  CHECK(alarms == 50);
}

int main(int argc, char **argv) {
  CHECK(argc >= 3);
  url = argv[2];
  if (!strcmp(argv[1], "no-stdio"))
    no_stdio();
  else if (!strcmp(argv[1], "no-descriptors"))
    no_descriptors();
  else if (!strcmp(argv[1], "small-stacks"))
    small_stacks();
  else if (!strcmp(argv[1], "low-memory"))
    low_memory();
  else if (!strcmp(argv[1], "unused"))
    unused();
  else if (!strcmp(argv[1], "unloaded") && argc == 4)
    unloaded(argv[3]);
  else if (!strcmp(argv[1], "two-copies") && argc == 5)
    two_copies(argv[3], argv[4]);
  else
    return 2;
  return 0;
}
