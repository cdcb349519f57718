/* Logs a user in, tells what happens, and logs out on Ctrl-C. After ./build.sh lib:
 *   gcc examples/c/login.c -o login -Ibuild/include -Lbuild/lib -ltim -Wl,-rpath,$PWD/build/lib
 *   ./login ws://127.0.0.1:7700 1400000001 alice "$TICKET"
 */
#define _POSIX_C_SOURCE 200809L
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <tim.h>
#include <unistd.h>

static void on_event(tim_client client, const tim_event *e, void *user_data) {
  if (e->kind == TIM_EVENT_CONNECTING) puts("connecting");
  if (e->kind == TIM_EVENT_CONNECTED) puts(e->resumed ? "connected again" : "connected");
  if (e->kind == TIM_EVENT_DISCONNECTED && e->code) printf("connection lost: %s\n", e->text);
  if (e->kind == TIM_EVENT_KICKED_OFFLINE) printf("kicked: %s %s\n", e->text, e->by_label);
  if (e->kind == TIM_EVENT_USER_SIG_EXPIRED) puts("the ticket has ended: log in with a new one");
  (void)client, (void)user_data;
}

static void on_login(tim_client client, const tim_result *result, void *user_data) {
  if (result->code != TIM_OK) {
    printf("failed: %s\n", result->text);
    exit(1);
  }
  printf("%s is logged in; Ctrl-C logs out\n", (const char *)user_data);
  (void)client;
}

static void on_logout(tim_client client, const tim_result *result, void *user_data) {
  puts(result->code == TIM_OK ? "logged out" : result->text);
  (void)client, (void)user_data;
  exit(0);
}

int main(int argc, char **argv) {
  tim_config config = TIM_CONFIG_INIT;
  tim_client client;
  tim_code code;
  sigset_t stop;
  int which;

  setvbuf(stdout, NULL, _IOLBF, 0);
  if (argc != 5) return fprintf(stderr, "usage: %s URL SDKAPPID USER TICKET\n", argv[0]), 2;
  sigemptyset(&stop);
  sigaddset(&stop, SIGINT);
  sigprocmask(SIG_BLOCK, &stop, NULL); /* for sigwait */
  config.url = argv[1];
  config.sdk_app_id = strtoull(argv[2], NULL, 10);
  config.platform = TIM_PLATFORM_LINUX;
  config.label = "the C example";
  code = tim_client_new(&config, &client);
  if (!code) code = tim_set_event_callback(client, on_event, NULL);
  if (!code) code = tim_login(client, argv[3], argv[4], on_login, argv[3]);
  if (code) return fprintf(stderr, "%s\n", tim_code_text(code)), 1;

  sigwait(&stop, &which);
  if (tim_logout(client, on_logout, NULL) == TIM_OK) pause();
  return 0;
}
