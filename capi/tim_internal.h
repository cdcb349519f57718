/* What the C half and the Go half of libtim know of each other. */
#ifndef TIM_INTERNAL_H
#define TIM_INTERNAL_H

#include <pthread.h>

#include "tim.h"

/* A tim_client is a generation, never 0, and below it the number of a slot. */
#define TIM_SLOT_BITS 12
#define TIM_MAX_CLIENTS (1 << TIM_SLOT_BITS)

#define TIM_CLOCK_UNKNOWN INT64_MIN

/* What the getters of one client answer: a cache line. Go writes it with sync/atomic, C reads it with the __atomic
 * builtins, so a getter never enters Go. */
struct tim_published {
  uint64_t state; /* the generation; below it TIM_OPEN, TIM_READY and the login status; 0: nobody */
  int64_t clock_offset_ns; /* server's clock minus CLOCK_REALTIME, or TIM_CLOCK_UNKNOWN */
  uint64_t user_seq;       /* odd while user changes */
  uint64_t user[5];        /* the name, padded with NULs */
} __attribute__((aligned(64)));

#define TIM_STATUS_MASK 3
#define TIM_READY 4
#define TIM_OPEN 8

/* A place for a client. Slots are never freed, only used again under another generation, so a stale handle finds a slot
 * that does not answer to it. */
struct tim_slot {
  struct tim_published *now;
  /* Atomic: how often the slot was used; 0: never. By itself it has 4 bytes of alignment on x86 with 32 bits. */
  uint64_t generation __attribute__((aligned(8)));
  int32_t next_free;

  pthread_mutex_t mutex; /* guards what follows */
  pthread_cond_t changed;
  uint64_t handle; /* set until the client's last callback has returned; 0: the slot is free */
  int closing;     /* tim_client_free was called, or TIM_EVENT_CLOSED delivered */

  pthread_t delivery_thread;
  int has_delivery_thread;
  int in_event;         /* the event callback is running */
  uint64_t events_done; /* how often it returned */
  tim_event_fn on_event;
  void *event_data;

  /* From the config; they never change while the client lives. */
  tim_log_fn on_log;
  tim_ticket_fn ticket_provider;
  tim_destroy_fn on_destroy;
  void *user_data;
};

/* slots.c */
extern struct tim_published tim_published[TIM_MAX_CLIENTS];
struct tim_slot *tim_slot_take_locked(tim_client *client); /* NULL if all are taken */
struct tim_slot *tim_slot_lock(tim_client client);         /* NULL if there is no such client */
void tim_slot_give_back_locked(struct tim_slot *slot);     /* the client has ended; unlocks */
int tim_forked(void);                                      /* is this a child that did not exec? */

/* What is published about client; NULL if it is none, or being freed. *state is one moment's truth. */
static inline const struct tim_published *tim_look(tim_client client, uint64_t *state) {
  const struct tim_published *now = &tim_published[client % TIM_MAX_CLIENTS];
  *state = __atomic_load_n(&now->state, __ATOMIC_ACQUIRE);
  return (*state ^ client) >> TIM_SLOT_BITS == 0 && *state & TIM_OPEN ? now : NULL;
}

/* deliver.c: what Go calls, on the client's delivery thread only. */
void tim_deliver_begin(struct tim_slot *slot);
void tim_deliver_event(struct tim_slot *slot, tim_event *event);
void tim_deliver_log(struct tim_slot *slot, int32_t level, const char *line);
void tim_deliver_result(struct tim_slot *slot, tim_done_fn done, void *user_data,
                        tim_result *result);
void tim_deliver_ticket_request(struct tim_slot *slot, uint64_t request, const char *user_id);
void tim_deliver_end(struct tim_slot *slot);

/* exports.go. No const: cgo cannot say it. */
extern tim_code timgo_new(struct tim_slot *slot, tim_client client, tim_config *config);
extern void timgo_close(tim_client client);
extern tim_code timgo_login(tim_client client, char *user_id, char *ticket, tim_done_fn done,
                            void *user_data);
extern tim_code timgo_logout(tim_client client, tim_done_fn done, void *user_data);
extern tim_code timgo_renew(tim_client client, char *ticket, tim_done_fn done, void *user_data);
extern tim_code timgo_provide_ticket(tim_client client, uint64_t request, char *ticket);
extern tim_code timgo_wake(tim_client client);
extern tim_code timgo_set_background(tim_client client, int32_t background);

#endif
