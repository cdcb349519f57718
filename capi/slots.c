/* The table of clients: which handle stands for which slot. */
#include "tim_internal.h"

struct tim_published tim_published[TIM_MAX_CLIENTS];
static struct tim_slot slots[TIM_MAX_CLIENTS];

/* So that a small number that strays into a call is never a client. */
#define FIRST_GENERATION (UINT64_C(1) << 32)

static pthread_mutex_t table_mutex = PTHREAD_MUTEX_INITIALIZER; /* guards the two below */
static int32_t used_slots; /* those from here on were never used */
static int32_t first_free = -1;

/* Whoever loads the library has Go's threads, and a child has none, also if nothing was called before the fork. */
static int forked; /* atomic */
#ifndef _WIN32
static void in_child(void) { __atomic_store_n(&forked, 1, __ATOMIC_RELAXED); }
__attribute__((constructor)) static void watch_fork(void) { pthread_atfork(NULL, NULL, in_child); }
#endif

int tim_forked(void) { return __atomic_load_n(&forked, __ATOMIC_RELAXED); }

static struct tim_slot *pop_free(void) {
  struct tim_slot *slot = NULL;
  pthread_mutex_lock(&table_mutex);
  if (first_free >= 0) {
    slot = &slots[first_free];
    first_free = slot->next_free;
  } else if (used_slots < TIM_MAX_CLIENTS) {
    slot = &slots[used_slots];
    slot->now = &tim_published[used_slots++];
    pthread_mutex_init(&slot->mutex, NULL);
    pthread_cond_init(&slot->changed, NULL);
    pthread_cond_init(&slot->more, NULL);
    __atomic_store_n(&slot->generation, FIRST_GENERATION, __ATOMIC_RELEASE);
  }
  pthread_mutex_unlock(&table_mutex);
  return slot;
}

/* The slot has a handle that was never used, about which nothing is published yet. */
struct tim_slot *tim_slot_take_locked(tim_client *client) {
  struct tim_slot *slot;
  uint64_t generation;
  slot = pop_free();
  if (!slot) return NULL;
  pthread_mutex_lock(&slot->mutex);
  generation = __atomic_add_fetch(&slot->generation, 1, __ATOMIC_RELEASE);
  *client = generation << TIM_SLOT_BITS | (uint64_t)(slot - slots);
  slot->handle = *client;
  slot->closing = 0;
  slot->has_delivery_thread = 0;
  slot->delivering = 0;
  slot->end = &slot->first;
  slot->told_all = 0;
  slot->on_event = NULL;
  return slot;
}

struct tim_slot *tim_slot_lock(tim_client client) {
  struct tim_slot *slot = &slots[client % TIM_MAX_CLIENTS];
  if (__atomic_load_n(&slot->generation, __ATOMIC_ACQUIRE) == 0) return NULL;
  pthread_mutex_lock(&slot->mutex);
  if (slot->handle == client) return slot;
  pthread_mutex_unlock(&slot->mutex);
  return NULL;
}

/* Whoever waited for the end of the client finds the slot free. */
void tim_slot_give_back_locked(struct tim_slot *slot) {
  slot->handle = 0;
  pthread_mutex_lock(&table_mutex);
  slot->next_free = first_free;
  first_free = (int32_t)(slot - slots);
  pthread_mutex_unlock(&table_mutex);
  pthread_cond_broadcast(&slot->changed);
  pthread_mutex_unlock(&slot->mutex);
}
