/* The functions of tim.h that make, call and free clients. Each checks its arguments and calls Go once; what a
 * login means is decided in core. */
#define TIM_BUILDING
#include "tim_internal.h"

#include <string.h>

/* What an entering call needs before it may enter Go: no child of a fork, a live client. */
static tim_code check(tim_client client) {
  uint64_t state;
  if (tim_forked()) return TIM_INVALID_OPERATION;
  return tim_look(client, &state) ? TIM_OK : TIM_NOT_INITIALIZED;
}

/* Copies a config of any size to one of ours: what an older header does not have is zero, what a newer header
 * has must be zero. */
static tim_code read_config(const tim_config *config, tim_config *out) {
  size_t size = config->struct_size;
  memset(out, 0, sizeof *out);
  if (size < offsetof(tim_config, data_dir)) return TIM_INVALID_PARAMETERS;
  /* No version's struct ends within a pointer; half of one would be read as a whole. */
  if (size % _Alignof(tim_config)) return TIM_INVALID_PARAMETERS;
  memcpy(out, config, size < sizeof *out ? size : sizeof *out);
  for (size_t i = sizeof *out; i < size; i++) {
    if (((const unsigned char *)config)[i]) return TIM_NOT_SUPPORTED;
  }
  return TIM_OK;
}

tim_code tim_client_new_abi(const tim_config *config, tim_client *client, uint32_t abi_version) {
  tim_config copy;
  tim_client handle;
  struct tim_slot *slot;
  tim_code code;

  if (!client) return TIM_INVALID_PARAMETERS;
  *client = 0;
  if (abi_version != TIM_ABI_VERSION) return TIM_NOT_SUPPORTED;
  if (!config) return TIM_INVALID_PARAMETERS;
  if (tim_forked()) return TIM_INVALID_OPERATION;
  code = read_config(config, &copy);
  if (code) return code;
  slot = tim_slot_take_locked(&handle); /* the first callback waits until it is unlocked */
  if (!slot) return TIM_OUT_OF_MEMORY;
  slot->on_log = copy.on_log;
  slot->ticket_provider = copy.ticket_provider;
  slot->on_destroy = copy.on_destroy;
  slot->user_data = copy.user_data;
  code = timgo_new(slot, handle, &copy);
  if (code) {
    tim_slot_give_back_locked(slot);
    return code;
  }
  *client = handle;
  pthread_mutex_unlock(&slot->mutex);
  return TIM_OK;
}

static int inside_callback(const struct tim_slot *slot) {
  return slot->delivering && pthread_equal(slot->deliverer, pthread_self());
}

tim_code tim_set_event_callback(tim_client client, tim_event_fn on_event, void *user_data) {
  struct tim_slot *slot;
  uint64_t running;
  tim_code code = check(client);
  if (code) return code;
  slot = tim_slot_lock(client);
  if (!slot) return TIM_NOT_INITIALIZED;
  running = slot->events_done;
  slot->on_event = on_event;
  slot->event_data = user_data;
  while (slot->in_event && slot->events_done == running && !inside_callback(slot)) {
    pthread_cond_wait(&slot->changed, &slot->mutex);
  }
  pthread_mutex_unlock(&slot->mutex);
  return TIM_OK;
}

/* What a call needs whose answer comes in a callback: the thread for it, and room to wait in. */
static tim_code check_answer(tim_client client) {
  struct tim_slot *slot;
  tim_code code = check(client);
  if (code) return code;
  slot = tim_slot_lock(client);
  if (!slot) return TIM_NOT_INITIALIZED;
  if (slot->answers >= TIM_MAX_ANSWERS) {
    code = TIM_QUEUE_FULL;
  } else if (!tim_deliver_start_locked(slot)) {
    code = TIM_OUT_OF_MEMORY;
  }
  pthread_mutex_unlock(&slot->mutex);
  return code;
}

tim_code tim_login(tim_client client, const char *user_id, const char *ticket, tim_done_fn done,
                   void *user_data) {
  tim_code code = check_answer(client);
  if (code) return code;
  if (!user_id || !ticket) return TIM_INVALID_PARAMETERS;
  return timgo_login(client, (char *)user_id, (char *)ticket, done, user_data);
}

tim_code tim_logout(tim_client client, tim_done_fn done, void *user_data) {
  tim_code code = check_answer(client);
  if (code) return code;
  return timgo_logout(client, done, user_data);
}

tim_code tim_renew(tim_client client, const char *ticket, tim_done_fn done, void *user_data) {
  tim_code code = check_answer(client);
  if (code) return code;
  if (!ticket) return TIM_INVALID_PARAMETERS;
  return timgo_renew(client, (char *)ticket, done, user_data);
}

tim_code tim_provide_ticket(tim_client client, uint64_t request, const char *ticket) {
  tim_code code = check(client);
  if (code) return code;
  return timgo_provide_ticket(client, request, (char *)(ticket ? ticket : ""));
}

tim_code tim_wake(tim_client client) {
  tim_code code = check(client);
  if (code) return code;
  return timgo_wake(client);
}

tim_code tim_set_background(tim_client client, int32_t background) {
  tim_code code = check(client);
  if (code) return code;
  return timgo_set_background(client, background);
}

/* The first caller starts the end; whoever calls while it lasts waits with it. Whoever delivers cannot wait for
 * itself. If there never was one, and there is none to be had, the caller is as good. */
tim_code tim_client_free(tim_client client) {
  struct tim_slot *slot;
  int first, inside, here = 0;

  if (tim_forked()) return TIM_INVALID_OPERATION;
  if (client == 0) return TIM_NOT_INITIALIZED;
  slot = tim_slot_lock(client);
  if (!slot) return TIM_NOT_INITIALIZED;
  first = !slot->closing;
  slot->closing = 1;
  inside = inside_callback(slot);
  if (!tim_deliver_start_locked(slot)) {
    slot->has_delivery_thread = here = 1;
  }
  tim_unpublish(slot);
  pthread_mutex_unlock(&slot->mutex);

  if (first) timgo_close(client);
  if (here) tim_deliver_all(slot);
  if (inside || here) return TIM_OK;
  pthread_mutex_lock(&slot->mutex);
  while (slot->handle == client) pthread_cond_wait(&slot->changed, &slot->mutex);
  pthread_mutex_unlock(&slot->mutex);
  return TIM_OK;
}
