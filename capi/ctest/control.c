/* Makes the mistake that it is told to, beside libtim, so that a test can see that a sanitizer sees it:
 * control use-after-free URL | control race URL */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"

static int *shared;

static void touch(tim_client client, const tim_event *event, void *user_data) {
  (void)client, (void)event, (void)user_data;
  shared[0]++;
}

int main(int argc, char **argv) {
  tim_config config = TIM_CONFIG_INIT;
  tim_client client;
  CHECK(argc == 3);
  shared = calloc(1, sizeof *shared);
  config.url = argv[2];
  config.sdk_app_id = 1;
  config.platform = TIM_PLATFORM_MAC;
  CHECK_OK(tim_client_new(&config, &client));
  CHECK_OK(tim_set_event_callback(client, touch, NULL));
  if (!strcmp(argv[1], "use-after-free")) free(shared);
  CHECK_OK(tim_login(client, "alice", "ok", NULL, NULL));
  if (!strcmp(argv[1], "race")) {
    for (int i = 0; i < 100; i++) {
      shared[0]++;
      usleep(1000);
    }
  }
  sleep(1);
  CHECK_OK(tim_client_free(client));
  return 0;
}
