/* The last step of a callback: Go calls these on a client's delivery thread, one after the other, and they call
 * the host. */
#include "tim_internal.h"

/* tim_deliver_begin comes first. The lock makes it wait until tim_client_new has stored the handle. */
void tim_deliver_begin(struct tim_slot *slot) {
  pthread_mutex_lock(&slot->mutex);
  slot->delivery_thread = pthread_self();
  slot->has_delivery_thread = 1;
  pthread_mutex_unlock(&slot->mutex);
}

void tim_deliver_event(struct tim_slot *slot, tim_event *event) {
  pthread_mutex_lock(&slot->mutex);
  tim_event_fn on_event = slot->on_event;
  void *user_data = slot->event_data;
  slot->in_event = on_event != NULL;
  if (event->kind == TIM_EVENT_CLOSED) slot->closing = 1;
  pthread_mutex_unlock(&slot->mutex);
  if (!on_event) return;

  event->struct_size = (uint32_t)sizeof *event;
  on_event(slot->handle, event, user_data);

  pthread_mutex_lock(&slot->mutex);
  slot->in_event = 0;
  slot->events_done++;
  pthread_cond_broadcast(&slot->changed);
  pthread_mutex_unlock(&slot->mutex);
}

void tim_deliver_log(struct tim_slot *slot, int32_t level, const char *line) {
  if (slot->on_log) slot->on_log(slot->handle, level, line, slot->user_data);
}

void tim_deliver_result(struct tim_slot *slot, tim_done_fn done, void *user_data,
                        tim_result *result) {
  result->struct_size = (uint32_t)sizeof *result;
  done(slot->handle, result, user_data);
}

void tim_deliver_ticket_request(struct tim_slot *slot, uint64_t request, const char *user_id) {
  slot->ticket_provider(slot->handle, request, user_id, slot->user_data);
}

/* tim_deliver_end comes last: nothing of this client runs after it. */
void tim_deliver_end(struct tim_slot *slot) {
  if (slot->on_destroy) slot->on_destroy(slot->user_data);
  pthread_mutex_lock(&slot->mutex);
  tim_slot_give_back_locked(slot);
}
