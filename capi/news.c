/* The news of a client: what Go has to tell waits here, in order, until it is delivered. */
#include "tim_internal.h"

#include <stdlib.h>

char tim_no_text[1] = "";

/* Without memory there is no way to go on: what a host waits for would never be told. Go ends the process, too, then. */
static struct tim_news *news_of_kind(int kind) {
  struct tim_news *news = calloc(1, sizeof *news);
  if (!news) abort();
  news->kind = kind;
  return news;
}

static void text_free(const char *text) {
  if (text != tim_no_text) free((char *)text);
}

void tim_news_free(struct tim_news *news) {
  switch (news->kind) {
  case TIM_NEWS_EVENT:
    text_free(news->of.event.by_label);
    text_free(news->of.event.text);
    break;
  case TIM_NEWS_LOG:
    text_free(news->of.log.line);
    break;
  case TIM_NEWS_RESULT:
    text_free(news->of.answer.result.session);
    text_free(news->of.answer.result.text);
    break;
  case TIM_NEWS_QUESTION:
    text_free(news->of.question.user_id);
    break;
  }
  free(news);
}

static void add_locked(struct tim_slot *slot, struct tim_news *news) {
  *slot->end = news;
  slot->end = &news->next;
}

/* most_events is how many events may wait before this one, 0 if there is room in any case. */
static int tell(struct tim_slot *slot, struct tim_news *news, int most_events) {
  int is_event = news->kind == TIM_NEWS_EVENT, fits, heard;
  pthread_mutex_lock(&slot->mutex);
  fits = !most_events || slot->events < most_events;
  heard = !is_event || !most_events || slot->on_event;
  if (fits && heard) {
    slot->events += most_events != 0;
    slot->answers += news->kind == TIM_NEWS_RESULT;
    slot->told_all = is_event && !most_events;
    add_locked(slot, news);
  }
  pthread_mutex_unlock(&slot->mutex);
  if (!fits || !heard) tim_news_free(news);
  return fits || !heard;
}

/* The thread is woken when there is something to deliver together: woken at the first, it would fight for the rest. */
void tim_told(struct tim_slot *slot) {
  int wanted;
  pthread_mutex_lock(&slot->mutex);
  wanted = slot->first && !slot->delivering;
  pthread_mutex_unlock(&slot->mutex);
  if (wanted) pthread_cond_signal(&slot->more);
}

int tim_tell_event(struct tim_slot *slot, const tim_event *event) {
  struct tim_news *news = news_of_kind(TIM_NEWS_EVENT);
  news->of.event = *event;
  news->of.event.struct_size = (uint32_t)sizeof *event;
  return tell(slot, news, event->kind == TIM_EVENT_CLOSED ? 0 : TIM_MAX_EVENTS);
}

void tim_tell_log(struct tim_slot *slot, int32_t level, char *line) {
  struct tim_news *news = news_of_kind(TIM_NEWS_LOG);
  news->of.log.level = level;
  news->of.log.line = line;
  tell(slot, news, TIM_MAX_LOGS);
}

void tim_tell_result(struct tim_slot *slot, tim_done_fn done, void *user_data,
                     const tim_result *result) {
  struct tim_news *news = news_of_kind(TIM_NEWS_RESULT);
  news->of.answer.done = done;
  news->of.answer.user_data = user_data;
  news->of.answer.result = *result;
  news->of.answer.result.struct_size = (uint32_t)sizeof *result;
  tell(slot, news, 0);
}

/* Unlike all else this may come when the client has ended. */
void tim_tell_question(struct tim_slot *slot, tim_client client, uint64_t request, char *user_id) {
  struct tim_news *news = news_of_kind(TIM_NEWS_QUESTION);
  int wanted;
  news->of.question.request = request;
  news->of.question.user_id = user_id;
  pthread_mutex_lock(&slot->mutex);
  wanted = slot->handle == client && !slot->told_all;
  if (wanted) add_locked(slot, news);
  pthread_mutex_unlock(&slot->mutex);
  if (!wanted) tim_news_free(news);
  tim_told(slot);
}

struct tim_news *tim_take_news_locked(struct tim_slot *slot) {
  struct tim_news *news = slot->first;
  slot->first = news->next;
  if (!slot->first) slot->end = &slot->first;
  slot->answers -= news->kind == TIM_NEWS_RESULT;
  slot->events -= news->kind == TIM_NEWS_LOG ||
                  (news->kind == TIM_NEWS_EVENT && news->of.event.kind != TIM_EVENT_CLOSED);
  return news;
}
