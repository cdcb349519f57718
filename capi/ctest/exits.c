/* Ends without freeing anything: exits loaded | exits live URL | exits inside URL */
#include <string.h>
#include <unistd.h>

#include "check.h"

static const char *const tickets[] = {"ok", "slow=5", "silent", "ok cut"};

static void leave(tim_client client, const tim_event *event, void *user_data) {
  (void)client, (void)user_data;
  if (event->kind == TIM_EVENT_CONNECTED) exit(0);
}

static tim_client start(const char *url, const char *ticket, tim_event_fn on_event) {
  tim_config config = TIM_CONFIG_INIT;
  tim_client client;
  config.url = url;
  config.sdk_app_id = 1;
  config.platform = TIM_PLATFORM_MAC;
  CHECK_OK(tim_client_new(&config, &client));
  CHECK_OK(tim_set_event_callback(client, on_event, NULL));
  CHECK_OK(tim_login(client, "alice", ticket, NULL, NULL));
  return client;
}

int main(int argc, char **argv) {
  if (argc == 2 && !strcmp(argv[1], "loaded")) return 0;
  CHECK(argc == 3);
  if (!strcmp(argv[1], "live")) {
    for (size_t i = 0; i < sizeof tickets / sizeof *tickets; i++) start(argv[2], tickets[i], NULL);
    usleep(getpid() % 8 * 1000);
    return 0;
  }
  start(argv[2], "ok", leave);
  sleep(60);
  return 1;
}
