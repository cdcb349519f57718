/* Runs on JavaScript's thread: turns a batch of items into the objects that engine.ts describes. */
#include "addon.h"

static void put(napi_env env, napi_value object, const char *name, napi_value value) {
  napi_set_named_property(env, object, name, value);
}

static void put_number(napi_env env, napi_value object, const char *name, double number) {
  napi_value value;
  if (napi_create_double(env, number, &value) == napi_ok) put(env, object, name, value);
}

static void put_flag(napi_env env, napi_value object, const char *name, bool flag) {
  napi_value value;
  if (napi_get_boolean(env, flag, &value) == napi_ok) put(env, object, name, value);
}

static void put_text(napi_env env, napi_value object, const char *name, const char *text) {
  napi_value value;
  if (napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &value) == napi_ok)
    put(env, object, name, value);
}

static void put_event(napi_env env, napi_value object, const item *told) {
  const tim_event *event = &told->told.event;
  put_text(env, object, "type", "event");
  put_number(env, object, "kind", event->kind);
  put_number(env, object, "loginStatus", event->login_status);
  put_flag(env, object, "ready", event->ready);
  put_flag(env, object, "resumed", event->resumed);
  put_number(env, object, "code", event->code);
  put_number(env, object, "kickReason", event->kick_reason);
  put_number(env, object, "byPlatform", event->by_platform);
  put_number(env, object, "atMs", (double)event->at_ms);
  put_text(env, object, "byLabel", told->first);
  put_text(env, object, "text", told->second);
}

static void put_result(napi_env env, napi_value object, const item *told) {
  const tim_result *result = &told->told.result;
  put_text(env, object, "type", "result");
  put_number(env, object, "request", told->request);
  put_number(env, object, "code", result->code);
  put_flag(env, object, "repeatLogin", result->repeat_login);
  put_number(env, object, "ticketExpiresMs", (double)result->ticket_expires_ms);
  put_text(env, object, "session", told->first);
  put_text(env, object, "text", told->second);
}

static void put_item(napi_env env, napi_value object, const item *told) {
  switch (told->type) {
  case EVENT_ITEM:
    put_event(env, object, told);
    break;
  case RESULT_ITEM:
    put_result(env, object, told);
    break;
  case TICKET_ITEM:
    put_text(env, object, "type", "ticket");
    put_number(env, object, "request", told->request);
    put_text(env, object, "userID", told->first);
    break;
  case LOG_ITEM:
    put_text(env, object, "type", "log");
    put_number(env, object, "level", told->told.level);
    put_text(env, object, "line", told->first);
    break;
  }
}

/* Returns an array of all items. */
static napi_value to_array(napi_env env, const item *items) {
  napi_value array = NULL;
  if (napi_create_array(env, &array) != napi_ok) return NULL;
  for (uint32_t i = 0; items != NULL; items = items->next, i++) {
    napi_handle_scope scope;
    napi_value object;
    if (napi_open_handle_scope(env, &scope) != napi_ok) return NULL;
    if (napi_create_object(env, &object) == napi_ok) {
      put_item(env, object, items);
      napi_set_element(env, array, i, object);
    }
    napi_close_handle_scope(env, scope);
  }
  return array;
}

static bool has_closed(const item *items) {
  while (items->next != NULL) items = items->next;
  return items->type == EVENT_ITEM && items->told.event.kind == TIM_EVENT_CLOSED;
}

/* What deliver throws is the app's to hear: Node would swallow it here, with a warning at best. */
static void report_exception(napi_env env) {
  bool pending = false;
  napi_value error;
  napi_is_exception_pending(env, &pending);
  if (pending && napi_get_and_clear_last_exception(env, &error) == napi_ok)
    napi_fatal_exception(env, error);
}

void deliver_batch(napi_env env, client *c, napi_value deliver) {
  item *batch = c->over ? NULL : queue_take(c);
  if (batch == NULL) return;
  bool closed = has_closed(batch);
  napi_value items = to_array(env, batch), undefined;
  queue_drop(batch);
  if (items != NULL && napi_get_undefined(env, &undefined) == napi_ok)
    napi_call_function(env, undefined, deliver, 1, &items, NULL);
  report_exception(env);
  if (closed) client_over(c);
}

void on_wakeup(napi_env env, napi_value deliver, void *context, void *data) {
  (void)data;
  if (env != NULL) deliver_batch(env, context, deliver); /* without one, it is being torn down */
}
