/* The life of a client. Everything but on_destroy runs on JavaScript's thread. */
#include <stdlib.h>

#include "addon.h"

void client_release(client *c) {
  if (atomic_fetch_sub(&c->users, 1) != 1) return;
  queue_drop(c->head);
  pthread_cond_destroy(&c->room);
  pthread_mutex_destroy(&c->lock);
  free(c);
}

static void TIM_CALL on_destroy(void *user_data) { client_release(user_data); }

static void on_wakeup_gone(napi_env env, void *data, void *hint) {
  (void)env, (void)hint;
  client_release(data);
}

/* Waits until libtim has told everything, whatever the length of the queue: libtim's thread may not wait for room while this
 * one waits for it. */
tim_code client_close(client *c) {
  pthread_mutex_lock(&c->lock);
  c->closing = true;
  pthread_cond_broadcast(&c->room);
  pthread_mutex_unlock(&c->lock);
  return tim_client_free(c->number);
}

/* The environment ends: a worker was terminated, or the process ends by itself. This runs before Node tears the wake-up down,
 * because it was registered after it; and when it returns, libtim's thread of this client is done with the wake-up. */
static void on_environment_end(void *data) {
  client *c = data;
  c->over = true;
  client_close(c);
  napi_release_threadsafe_function(c->wakeup, napi_tsfn_abort);
}

static tim_code new_wakeup(client *c, napi_value deliver) {
  napi_value name;
  if (napi_create_string_utf8(c->env, "tim", NAPI_AUTO_LENGTH, &name) != napi_ok)
    return TIM_INTERNAL;
  napi_status made = napi_create_threadsafe_function(c->env, deliver, NULL, name, 0, 1, c,
                                                     on_wakeup_gone, c, on_wakeup, &c->wakeup);
  if (made != napi_ok) return made == napi_generic_failure ? TIM_INTERNAL : TIM_INVALID_PARAMETERS;
  atomic_fetch_add(&c->users, 1);
  napi_unref_threadsafe_function(c->env, c->wakeup);
  return TIM_OK;
}

static tim_code new_number(client *c, tim_config *config) {
  config->on_log = on_log;
  config->on_destroy = on_destroy;
  config->user_data = c;
  tim_code code = tim_client_new(config, &c->number);
  if (code != TIM_OK) return code;
  atomic_fetch_add(&c->users, 1);
  return tim_set_event_callback(c->number, on_event, c);
}

/* Makes a client, which the caller releases: with client_release alone if it failed. */
tim_code client_new(napi_env env, tim_config *config, napi_value deliver, client **made) {
  client *c = *made = calloc(1, sizeof *c);
  if (c == NULL) return TIM_OUT_OF_MEMORY;
  atomic_init(&c->users, 1);
  c->env = env;
  c->tail = &c->head;
  pthread_mutex_init(&c->lock, NULL);
  pthread_cond_init(&c->room, NULL);

  tim_code code = new_wakeup(c, deliver);
  if (code != TIM_OK) {
    c->over = true;
    return code;
  }
  code = new_number(c, config);
  if (code == TIM_OK && napi_add_env_cleanup_hook(env, on_environment_end, c) != napi_ok)
    code = TIM_INTERNAL;
  if (code != TIM_OK) on_environment_end(c);
  return code;
}

void client_hold(client *c, bool hold) {
  if (c->over) return;
  if (hold)
    napi_ref_threadsafe_function(c->env, c->wakeup);
  else
    napi_unref_threadsafe_function(c->env, c->wakeup);
}

/* The last item was delivered. libtim may have closed the client by itself, so it is freed in any case. */
void client_over(client *c) {
  if (c->over) return;
  c->over = true;
  client_close(c);
  napi_remove_env_cleanup_hook(c->env, on_environment_end, c);
  napi_release_threadsafe_function(c->wakeup, napi_tsfn_release);
}
