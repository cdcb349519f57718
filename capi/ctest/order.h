/* The order in which the events of a client may come. A new one is all zeros. */
#ifndef ORDER_H
#define ORDER_H

#include "check.h"

enum { DISCONNECTED, CONNECTING, CONNECTED };

struct order {
  int32_t status; /* the login status */
  int32_t ready;
  int connection;
  int ending; /* the end of a session was told, and the status must follow */
  int closed;
};

static inline void order_status(struct order *o, int32_t to) {
  int32_t from = o->status;
  CHECK(from != to);
  CHECK(!(from == TIM_LOGGED_OUT && to == TIM_LOGGED_IN));
  CHECK(!(from == TIM_LOGGED_IN && to == TIM_LOGGING_IN));
  o->status = to;
  o->ending = 0;
}

static inline void order_event(struct order *o, const tim_event *event) {
  int32_t kind = event->kind;
  CHECK(!o->closed);
  CHECK(kind == TIM_EVENT_READY || o->ready == (o->status == TIM_LOGGED_IN));
  CHECK(!o->ending || (kind == TIM_EVENT_LOGIN_STATUS && event->login_status == TIM_LOGGED_OUT));
  switch (kind) {
  case TIM_EVENT_LOGIN_STATUS:
    order_status(o, event->login_status);
    break;
  case TIM_EVENT_READY:
    CHECK(event->ready != o->ready && event->ready == (o->status == TIM_LOGGED_IN));
    o->ready = event->ready;
    break;
  case TIM_EVENT_CONNECTING:
    CHECK(o->connection == DISCONNECTED && o->status != TIM_LOGGED_OUT);
    o->connection = CONNECTING;
    break;
  case TIM_EVENT_CONNECTED:
    CHECK(o->connection == CONNECTING && event->resumed == (o->status == TIM_LOGGED_IN));
    o->connection = CONNECTED;
    break;
  case TIM_EVENT_DISCONNECTED:
    CHECK(o->connection != DISCONNECTED);
    o->connection = DISCONNECTED;
    break;
  case TIM_EVENT_KICKED_OFFLINE:
  case TIM_EVENT_USER_SIG_EXPIRED:
    CHECK(o->status == TIM_LOGGED_IN);
    o->ending = 1;
    break;
  case TIM_EVENT_CLOSED:
    CHECK(o->status == TIM_LOGGED_OUT && o->connection == DISCONNECTED);
    o->closed = 1;
    break;
  default:
    CHECK(kind == TIM_EVENT_USER_SIG_WILL_EXPIRE && o->status == TIM_LOGGED_IN);
  }
}

#endif
