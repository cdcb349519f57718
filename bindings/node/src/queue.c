/* Runs on the thread that libtim has for the client: copies what it is told and wakes JavaScript. */
#include <stdlib.h>
#include <string.h>

#include "addon.h"

/* Without memory for what happened, a promise would never be settled: end as V8 does. */
static void *must(void *memory) {
  if (memory == NULL) abort();
  return memory;
}

static item *new_item(item_type type, double request, const char *first, const char *second) {
  size_t first_size = strlen(first) + 1, second_size = strlen(second) + 1;
  item *made = must(calloc(1, sizeof *made + first_size + second_size));
  made->type = type;
  made->request = request;
  made->first = memcpy(made->strings, first, first_size);
  made->second = memcpy(made->strings + first_size, second, second_size);
  return made;
}

/* Waits for room while JavaScript lags behind: libtim then waits, too, and closes a client that it waits for too long. */
static void put(client *c, item *added) {
  pthread_mutex_lock(&c->lock);
  while (c->length >= QUEUE_BOUND && !c->closing) pthread_cond_wait(&c->room, &c->lock);
  *c->tail = added;
  c->tail = &added->next;
  c->length++;
  bool wake = !c->turn_is_due;
  c->turn_is_due = true;
  pthread_mutex_unlock(&c->lock);
  if (wake) napi_call_threadsafe_function(c->wakeup, NULL, napi_tsfn_nonblocking);
}

void TIM_CALL on_event(tim_client number, const tim_event *event, void *user_data) {
  (void)number;
  item *added = new_item(EVENT_ITEM, 0, event->by_label, event->text);
  added->told.event = *event;
  put(user_data, added);
}

void TIM_CALL on_done(tim_client number, const tim_result *result, void *user_data) {
  (void)number;
  call *answered = user_data;
  item *added = new_item(RESULT_ITEM, answered->request, result->session, result->text);
  added->told.result = *result;
  put(answered->client, added);
  free(answered);
}

void TIM_CALL on_ticket(tim_client number, uint64_t request, const char *user_id, void *user_data) {
  (void)number;
  put(user_data, new_item(TICKET_ITEM, (double)request, user_id, ""));
}

void TIM_CALL on_log(tim_client number, int32_t level, const char *line, void *user_data) {
  (void)number;
  item *added = new_item(LOG_ITEM, 0, line, "");
  added->told.level = level;
  put(user_data, added);
}

item *queue_take(client *c) {
  pthread_mutex_lock(&c->lock);
  item *batch = c->head, **end = &c->head;
  int taken = 0;
  for (; taken < BATCH_BOUND && *end != NULL; taken++) end = &(*end)->next;
  c->head = *end;
  *end = NULL;
  if (taken == 0) batch = NULL;
  if (c->head == NULL) c->tail = &c->head;
  c->length -= taken;
  c->turn_is_due = batch != NULL;
  pthread_cond_broadcast(&c->room);
  pthread_mutex_unlock(&c->lock);
  return batch;
}

void queue_drop(item *items) {
  while (items != NULL) {
    item *next = items->next;
    free(items);
    items = next;
  }
}
