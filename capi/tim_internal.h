/* What the C half and the Go half of libtim know of each other. */
#ifndef TIM_INTERNAL_H
#define TIM_INTERNAL_H

#include <pthread.h>

#include "tim.h"

/* A tim_client is a generation, never 0, and below it the number of a slot. */
#define TIM_SLOT_BITS 12
#define TIM_MAX_CLIENTS (1 << TIM_SLOT_BITS)

#define TIM_CLOCK_UNKNOWN INT64_MIN

/* What the getters of one client answer. Go writes it with sync/atomic, C reads it with the __atomic builtins, so a getter
 * never enters Go, nor waits for a thread that is in it: after a fork there is none. */
struct tim_published {
  uint64_t state; /* the generation; below it TIM_OPEN, TIM_READY and the login status; 0: nobody */
  int64_t clock_offset_ns; /* server's clock minus CLOCK_REALTIME, or TIM_CLOCK_UNKNOWN */
  uint64_t user_seq;       /* how often the name has changed */
  /* The name, padded with NULs, is in user[user_seq % 2]; the next is written beside it. */
  uint64_t user[2][5];
} __attribute__((aligned(64)));

#define TIM_STATUS_MASK 3
#define TIM_READY 4
#define TIM_OPEN 8

/* What a callback will be given. */
struct tim_news {
  struct tim_news *next;
  enum { TIM_NEWS_EVENT, TIM_NEWS_LOG, TIM_NEWS_RESULT, TIM_NEWS_QUESTION } kind;
  union {
    tim_event event;
    struct {
      int32_t level;
      char *line;
    } log;
    struct {
      tim_done_fn done;
      void *user_data;
      tim_result result;
    } answer;
    struct {
      uint64_t request;
      char *user_id;
    } question;
  } of;
};

/* Events that may wait for a slow callback, log lines among them, and answers. */
#define TIM_MAX_EVENTS 1024
#define TIM_MAX_LOGS (TIM_MAX_EVENTS / 2)
#define TIM_MAX_ANSWERS 1024

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

  int has_delivery_thread;
  pthread_cond_t more; /* there is news for the delivery thread */
  int delivering;      /* somebody is, until there is no more news: */
  pthread_t deliverer;
  struct tim_news *first, **end;
  int events, answers; /* among the news */
  int told_all;        /* the news end with TIM_EVENT_CLOSED */

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

/* From now on nobody finds the client of slot. */
static inline void tim_unpublish(struct tim_slot *slot) {
  __atomic_store_n(&slot->now->state, 0, __ATOMIC_RELEASE);
}

/* What is published about client; NULL if it is none, or being freed. *state is one moment's truth. */
static inline const struct tim_published *tim_look(tim_client client, uint64_t *state) {
  const struct tim_published *now = &tim_published[client % TIM_MAX_CLIENTS];
  *state = __atomic_load_n(&now->state, __ATOMIC_ACQUIRE);
  return (*state ^ client) >> TIM_SLOT_BITS == 0 && *state & TIM_OPEN ? now : NULL;
}

/* news.c: what Go calls, on any thread; tim_told when it has told all that belongs together. The texts were allocated with malloc and are given away, or are tim_no_text. Events
 * and log lines for which there is no room are left out; 0 says so of events. */
extern char tim_no_text[1];
int tim_tell_event(struct tim_slot *slot, const tim_event *event);
void tim_tell_log(struct tim_slot *slot, int32_t level, char *line);
void tim_tell_result(struct tim_slot *slot, tim_done_fn done, void *user_data,
                     const tim_result *result);
void tim_tell_question(struct tim_slot *slot, tim_client client, uint64_t request, char *user_id);
void tim_told(struct tim_slot *slot);
struct tim_news *tim_take_news_locked(struct tim_slot *slot); /* there is some */
void tim_news_free(struct tim_news *news);

/* deliver.c */
int tim_deliver_start_locked(struct tim_slot *slot); /* 0: there is no thread to be had */
void tim_deliver_all(struct tim_slot *slot);         /* until the client has ended */
void tim_deliver_here(struct tim_slot *slot, tim_client client); /* what there is now */

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
