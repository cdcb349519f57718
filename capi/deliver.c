/* Takes a client's news and calls the host. One thread at a time does: the client's delivery thread, which never enters Go
 * by itself, so that telling the host of something takes the wake-up of one thread and waits for none of Go's processors; or
 * a thread of Go's that has nothing else to do, as the one that brought the answer to a login, and then none is woken. */
#include <signal.h>

#include "tim_internal.h"

static void deliver_event(struct tim_slot *slot, const tim_event *event) {
  pthread_mutex_lock(&slot->mutex);
  tim_event_fn on_event = slot->on_event;
  void *user_data = slot->event_data;
  slot->in_event = on_event != NULL;
  if (event->kind == TIM_EVENT_CLOSED) slot->closing = 1;
  pthread_mutex_unlock(&slot->mutex);
  if (!on_event) return;

  on_event(slot->handle, event, user_data);

  pthread_mutex_lock(&slot->mutex);
  slot->in_event = 0;
  slot->events_done++;
  pthread_cond_broadcast(&slot->changed);
  pthread_mutex_unlock(&slot->mutex);
}

static void deliver(struct tim_slot *slot, const struct tim_news *news) {
  switch (news->kind) {
  case TIM_NEWS_EVENT:
    deliver_event(slot, &news->of.event);
    break;
  case TIM_NEWS_LOG:
    if (slot->on_log)
      slot->on_log(slot->handle, news->of.log.level, news->of.log.line, slot->user_data);
    break;
  case TIM_NEWS_RESULT:
    news->of.answer.done(slot->handle, &news->of.answer.result, news->of.answer.user_data);
    break;
  case TIM_NEWS_QUESTION:
    slot->ticket_provider(slot->handle, news->of.question.request, news->of.question.user_id,
                          slot->user_data);
    break;
  }
}

static int is_last(const struct tim_news *news) {
  return news->kind == TIM_NEWS_EVENT && news->of.event.kind == TIM_EVENT_CLOSED;
}

/* Delivers the first news, without the lock meanwhile. Reports whether there is nothing to come after it. */
static int deliver_first_locked(struct tim_slot *slot) {
  struct tim_news *news = tim_take_news_locked(slot);
  int last = is_last(news);
  slot->delivering = 1;
  slot->deliverer = pthread_self();
  pthread_mutex_unlock(&slot->mutex);
  deliver(slot, news);
  tim_news_free(news);
  pthread_mutex_lock(&slot->mutex);
  return last;
}

/* When this returns, nothing of the client runs any more, and the slot may be another's. */
void tim_deliver_all(struct tim_slot *slot) {
  int last = 0;
  pthread_mutex_lock(&slot->mutex);
  while (!last) {
    while (!slot->first || slot->delivering) pthread_cond_wait(&slot->more, &slot->mutex);
    last = deliver_first_locked(slot);
    slot->delivering = last; /* on_destroy is a callback, too */
  }
  pthread_mutex_unlock(&slot->mutex);
  tim_unpublish(slot);
  if (slot->on_destroy) slot->on_destroy(slot->user_data);
  pthread_mutex_lock(&slot->mutex);
  tim_slot_give_back_locked(slot);
}

/* Leaves the end of the client to its own thread, and all to who delivers already. */
void tim_deliver_here(struct tim_slot *slot, tim_client client) {
  pthread_mutex_lock(&slot->mutex);
  if (slot->handle == client && !slot->delivering) {
    while (slot->first && !is_last(slot->first)) deliver_first_locked(slot);
    slot->delivering = 0;
    if (slot->first) pthread_cond_signal(&slot->more);
  }
  pthread_mutex_unlock(&slot->mutex);
}

static void *delivery_thread(void *slot) {
  tim_deliver_all(slot);
  return NULL;
}

/* The thread takes no signal but those that mean a crash, as all of ours: it inherits the mask of its maker. */
static int create_quietly(pthread_t *thread, const pthread_attr_t *attributes, void *slot) {
#ifdef _WIN32
  return pthread_create(thread, attributes, delivery_thread, slot);
#else
  static const int crashes[] = {SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV};
  sigset_t ours, saved;
  int error;
  sigfillset(&ours);
  for (size_t i = 0; i < sizeof crashes / sizeof *crashes; i++) sigdelset(&ours, crashes[i]);
  pthread_sigmask(SIG_SETMASK, &ours, &saved);
  error = pthread_create(thread, attributes, delivery_thread, slot);
  pthread_sigmask(SIG_SETMASK, &saved, NULL);
  return error;
#endif
}

int tim_deliver_start_locked(struct tim_slot *slot) {
  pthread_attr_t detached;
  pthread_t thread;
  if (slot->has_delivery_thread) return 1;
  pthread_attr_init(&detached);
  pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
  slot->has_delivery_thread = !create_quietly(&thread, &detached, slot);
  pthread_attr_destroy(&detached);
  return slot->has_delivery_thread;
}
