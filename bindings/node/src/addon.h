/* The addon is include/tim.h in JavaScript, as bindings/js/src/engine.ts describes it. It converts and hops threads; nothing
 * is decided here.
 *
 *   addon.c    what JavaScript calls: arguments in, a code or a value out
 *   client.c   the life of a client, from create to its last item or to the end of the environment
 *   queue.c    libtim's thread: what happened, copied, into a bounded queue
 *   deliver.c  JavaScript's thread: a batch of the queue as objects
 *
 * Nothing here is global: several environments (worker threads) and several copies of the package do not meet. */
#ifndef TIM_NODE_ADDON_H
#define TIM_NODE_ADDON_H

#include <node_api.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "tim.h"

enum {
  QUEUE_BOUND = 1000, /* items; a full queue makes libtim's thread of that client wait */
  BATCH_BOUND = 1000, /* items in a turn of the event loop */
};

typedef enum { EVENT_ITEM, RESULT_ITEM, TICKET_ITEM, LOG_ITEM } item_type;

/* Something that happened, with copies of its strings behind it. */
typedef struct item {
  struct item *next;
  item_type type;
  double request; /* RESULT, TICKET */
  union {
    tim_event event;
    tim_result result;
    int32_t level; /* LOG */
  } told;
  const char *first;  /* EVENT by_label, RESULT session, TICKET userID, LOG line */
  const char *second; /* EVENT, RESULT text */
  char strings[];
} item;

typedef struct client {
  /* One for the handle that JavaScript holds, one for libtim until on_destroy, one for the wake-up until it is finalized. */
  atomic_int users;
  tim_client number;

  /* JavaScript's thread only. */
  napi_env env;
  bool over; /* the wake-up was released: nothing is delivered any more */

  /* Says "the queue is not empty" and nothing else. Any thread; it lives until libtim has told everything. */
  napi_threadsafe_function wakeup;

  pthread_mutex_t lock; /* guards what follows; never held across a call out */
  pthread_cond_t room;
  item *head, **tail;
  int length;
  bool turn_is_due; /* a wake-up or a setImmediate is under way: no other is needed */
  bool closing;     /* nobody may wait for room: JavaScript's thread waits for libtim's */
} client;

/* client.c */
tim_code client_new(napi_env env, tim_config *config, napi_value deliver, client **made);
tim_code client_close(client *c);
void client_hold(client *c, bool hold);
void client_over(client *c);
void client_release(client *c);

/* queue.c, on libtim's thread */
void TIM_CALL on_event(tim_client number, const tim_event *event, void *user_data);
void TIM_CALL on_done(tim_client number, const tim_result *result, void *call);
void TIM_CALL on_ticket(tim_client number, uint64_t request, const char *user_id, void *user_data);
void TIM_CALL on_log(tim_client number, int32_t level, const char *line, void *user_data);

/* What tim_done_fn needs to know of a call. on_done frees it. */
typedef struct call {
  client *client;
  double request;
} call;

/* Takes the next batch off the queue. NULL: there is nothing, and the next item wakes JavaScript again. */
item *queue_take(client *c);
void queue_drop(item *items);

/* deliver.c */
void deliver_batch(napi_env env, client *c, napi_value deliver);
void on_wakeup(napi_env env, napi_value deliver, void *context, void *data);

#endif
