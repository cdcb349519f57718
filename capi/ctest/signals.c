/* Is a host's signal handling safe beside libtim?
 *
 *     signals masks URL TICKET             checks the signal mask of every thread, and who handles what
 *     signals storm URL TICKET SECONDS     a host like libuv under every kind of signal at once, so long at least
 *
 * The storm's handlers run without SA_ONSTACK. While four clients log in and out as fast as they can, a child sends
 * SIGUSR1 to the process 10,000 times a second, a thread sends as many to two threads that are calling tim, and the main
 * thread keeps starting 40 children at once. A library whose threads or stacks are not guarded dies of it. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "tim.h"

#define CLIENTS 4
#define CALLERS 2
#define CHILDREN 40
#define RATE_NS 100000 /* 10 kHz */

extern char **environ;

static const char *url, *ticket;
static atomic_int over, seen;
static atomic_long logins, calls, batches;
static int pipe_ends[2];

/* Does what libuv's handler does, with as much stack as one that writes a log line. */
static void handler(int signal_number) {
  int saved = errno;
  char line[2048];
  memset(line, signal_number, sizeof line);
  if (write(pipe_ends[1], line, 1) == 1) seen++;
  errno = saved;
}

static void install(int signal_number) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  sigfillset(&action.sa_mask);
  CHECK(sigaction(signal_number, &action, NULL) == 0);
}

static tim_client new_client(void) {
  tim_config config = TIM_CONFIG_INIT;
  tim_client client;
  config.url = url;
  config.sdk_app_id = 1;
  config.platform = TIM_PLATFORM_LINUX;
  config.login_timeout_ms = 60000; /* a busy machine is no failure */
  CHECK_OK(tim_client_new(&config, &client));
  return client;
}

/* ---- masks ---- */

/* Signals that mean a crash, or that glibc sends to threads itself: every thread may take them. */
static int may_be_open(int s) {
  return s == SIGILL || s == SIGTRAP || s == SIGBUS || s == SIGFPE || s == SIGSEGV ||
         s == SIGSTKFLT || s == SIGKILL || s == SIGSTOP || (s >= 32 && s <= 34);
}

/* A line of a thread's status, such as "SigBlk:", as the set of signals it is. */
static unsigned long long signals_in(const char *thread, const char *name) {
  char path[64], line[256];
  unsigned long long signals = 0;
  FILE *status;
  snprintf(path, sizeof path, "/proc/self/task/%s/status", thread);
  status = fopen(path, "r");
  CHECK(status != NULL);
  while (fgets(line, sizeof line, status)) {
    if (!strncmp(line, name, strlen(name))) signals = strtoull(line + strlen(name), NULL, 16);
  }
  fclose(status);
  return signals;
}

/* What the Go runtime handles in a library, for crashes, broken pipes and itself, and glibc. */
static int may_be_handled(int s) {
  return s == SIGBUS || s == SIGFPE || s == SIGSEGV || s == SIGPIPE || s == SIGURG || s == 32 ||
         s == 33;
}

static void check_handlers(const char *thread) {
  unsigned long long handled = signals_in(thread, "SigCgt:"),
                     ignored = signals_in(thread, "SigIgn:");
  CHECK(ignored == 0);
  for (int s = 1; s <= 64; s++) CHECK(!(handled >> (s - 1) & 1) || may_be_handled(s));
}

/* Waits until so many threads are there, this one not counted. */
static void await_threads(int wanted) {
  for (int i = 0;; i++) {
    DIR *tasks = opendir("/proc/self/task");
    int threads = -3; /* this one, "." and ".." */
    CHECK(tasks != NULL);
    while (readdir(tasks)) threads++;
    closedir(tasks);
    if (threads >= wanted) return;
    CHECK(i < 60000);
    usleep(1000);
  }
}

static int check_masks(void) {
  DIR *tasks = opendir("/proc/self/task");
  struct dirent *entry;
  long self = syscall(SYS_gettid);
  int threads = 0, wrong = 0;
  CHECK(tasks != NULL);
  while ((entry = readdir(tasks))) {
    unsigned long long blocked;
    if (entry->d_name[0] == '.') continue;
    blocked = signals_in(entry->d_name, "SigBlk:");
    if (atol(entry->d_name) == self) {
      CHECK(blocked == 0); /* the mask of the host's thread is what it was */
      check_handlers(entry->d_name);
      continue;
    }
    threads++;
    for (int s = 1; s <= 64; s++) {
      if (!(blocked >> (s - 1) & 1) && !may_be_open(s)) {
        printf("thread %s takes signal %d\n", entry->d_name, s);
        wrong = 1;
      }
    }
  }
  closedir(tasks);
  printf("%d threads of tim checked\n", threads);
  CHECK(threads >= 4);
  return wrong;
}

/* ---- storm ---- */

static void pause_until(struct timespec *next) {
  next->tv_nsec += RATE_NS;
  if (next->tv_nsec >= 1000000000) next->tv_sec++, next->tv_nsec -= 1000000000;
  clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, next, NULL);
}

/* A client that is being freed takes no more calls. */
static void start(tim_code code) {
  if (!over) CHECK_OK(code);
}

static void on_logout(tim_client client, const tim_result *result, void *user_data);

static void on_login(tim_client client, const tim_result *result, void *user_data) {
  if (over || result->code == TIM_INTERRUPTED) return;
  CHECK_OK(result->code);
  logins++;
  start(tim_logout(client, on_logout, user_data));
}

static void on_logout(tim_client client, const tim_result *result, void *user_data) {
  if (over || result->code == TIM_INTERRUPTED) return;
  CHECK_OK(result->code);
  start(tim_login(client, "storm", ticket, on_login, user_data));
}

static void *keep_calling(void *argument) {
  tim_client client = *(tim_client *)argument;
  while (!over) {
    CHECK_OK(tim_wake(client));
    calls++;
  }
  return NULL;
}

static void *shoot_threads(void *argument) {
  pthread_t *targets = argument;
  struct timespec next;
  clock_gettime(CLOCK_MONOTONIC, &next);
  for (int i = 0; !over; i++) {
    pthread_kill(targets[i % CALLERS], SIGUSR1);
    pause_until(&next);
  }
  return NULL;
}

static pid_t shoot_process(void) {
  pid_t target = getpid(), child = fork();
  struct timespec next;
  CHECK(child >= 0);
  if (child) return child;
  clock_gettime(CLOCK_MONOTONIC, &next);
  while (getppid() == target && kill(target, SIGUSR1) == 0) pause_until(&next);
  _exit(0);
}

/* Starts children as libuv does: with signals blocked, so that SIGCHLD goes to whichever thread takes it. */
static void spawn_batch(void) {
  char *arguments[] = {(char *)"true", NULL};
  pid_t children[CHILDREN];
  posix_spawnattr_t attributes;
  sigset_t all, old;
  sigfillset(&all);
  CHECK(posix_spawnattr_init(&attributes) == 0);
  pthread_sigmask(SIG_SETMASK, &all, &old);
  CHECK(posix_spawnattr_setsigmask(&attributes, &old) == 0);
  CHECK(posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK) == 0);
  for (int i = 0; i < CHILDREN; i++) {
    CHECK(posix_spawn(&children[i], "/bin/true", NULL, &attributes, arguments, environ) == 0);
  }
  posix_spawnattr_destroy(&attributes);
  usleep(2000);
  pthread_sigmask(SIG_SETMASK, &old, NULL);
  for (int i = 0; i < CHILDREN; i++) {
    int status;
    while (waitpid(children[i], &status, 0) < 0) CHECK(errno == EINTR);
    CHECK(status == 0);
  }
  batches++;
}

static void *empty_pipe(void *argument) {
  char buffer[4096];
  while (read(pipe_ends[0], buffer, sizeof buffer) > 0) {
  }
  return argument;
}

/* What a storm is made of. On a machine that is busy it takes longer than the storm should. */
static int all_happened(void) { return seen > 0 && batches > 0 && logins > 0 && calls > 0; }

static int storm(int seconds) {
  tim_client clients[CLIENTS];
  pthread_t callers[CALLERS], shooter, reader;
  time_t end = time(NULL) + seconds;
  sigset_t all, old;
  pid_t child;

  CHECK(pipe(pipe_ends) == 0);
  install(SIGUSR1);
  install(SIGCHLD);
  child = shoot_process();
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old);
  pthread_create(&reader, NULL, empty_pipe, NULL);
  pthread_sigmask(SIG_SETMASK, &old, NULL);

  for (int i = 0; i < CLIENTS; i++) {
    clients[i] = new_client();
    CHECK_OK(tim_login(clients[i], "storm", ticket, on_login, NULL));
  }
  for (int i = 0; i < CALLERS; i++) pthread_create(&callers[i], NULL, keep_calling, &clients[i]);
  pthread_create(&shooter, NULL, shoot_threads, callers);
  while (time(NULL) < end || !all_happened()) spawn_batch();

  over = 1;
  pthread_join(shooter, NULL);
  for (int i = 0; i < CALLERS; i++) pthread_join(callers[i], NULL);
  for (int i = 0; i < CLIENTS; i++) CHECK_OK(tim_client_free(clients[i]));
  kill(child, SIGKILL);
  while (waitpid(child, NULL, 0) < 0) CHECK(errno == EINTR);
  printf("survived %d signals, %ld children, %ld logins, %ld calls\n", (int)seen,
         batches * CHILDREN, logins, calls);
  CHECK(all_happened());
  return 0;
}

int main(int argc, char **argv) {
  if (argc >= 4) {
    url = argv[2];
    ticket = argv[3];
    if (!strcmp(argv[1], "storm") && argc == 5) return storm(atoi(argv[4]));
    if (!strcmp(argv[1], "masks")) {
      tim_client client = new_client(); /* so that all threads are there, and one delivers */
      int wrong;
      CHECK_OK(tim_login(client, "masks", ticket, NULL, NULL));
      await_threads(4);
      sleep(1); /* whoever comes late */
      wrong = check_masks();
      CHECK_OK(tim_client_free(client));
      return wrong;
    }
  }
  fprintf(stderr, "usage: signals masks URL TICKET | signals storm URL TICKET SECONDS\n");
  return 2;
}
