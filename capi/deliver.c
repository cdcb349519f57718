/* The delivery thread of a client: it takes the client's news and calls the host. It never enters Go by itself, so telling
 * the host of something takes the wake-up of one thread and waits for none of Go's processors. */
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

/* When this returns, nothing of the client runs any more, and the slot may be another's. */
void tim_deliver_all(struct tim_slot *slot) {
  int last = 0;
  while (!last) {
    struct tim_news *news;
    pthread_mutex_lock(&slot->mutex);
    news = tim_next_news_locked(slot);
    pthread_mutex_unlock(&slot->mutex);
    last = news->kind == TIM_NEWS_EVENT && news->of.event.kind == TIM_EVENT_CLOSED;
    deliver(slot, news);
    tim_news_free(news);
  }
  tim_unpublish(slot);
  if (slot->on_destroy) slot->on_destroy(slot->user_data);
  pthread_mutex_lock(&slot->mutex);
  tim_slot_give_back_locked(slot);
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
  if (slot->has_delivery_thread) return 1;
  pthread_attr_init(&detached);
  pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
  slot->has_delivery_thread = !create_quietly(&slot->delivery_thread, &detached, slot);
  pthread_attr_destroy(&detached);
  return slot->has_delivery_thread;
}
