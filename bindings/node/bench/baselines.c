/* The addon, and what it is measured against: a call of N-API that does nothing, a trip through libuv's thread pool that does
 * nothing, and a thread in the place of libtim's that has as many events to tell as JavaScript can take. */
#define napi_register_module_v1 addon_register
#include "../src/addon.c"
#undef napi_register_module_v1

/* nothing() */
static napi_value nothing(napi_env env, napi_callback_info info) {
  (void)env, (void)info;
  return NULL;
}

typedef struct {
  napi_deferred deferred;
  napi_async_work work;
} trip;

static void do_nothing(napi_env env, void *data) { (void)env, (void)data; }

static void on_trip_done(napi_env env, napi_status status, void *data) {
  (void)status;
  trip *t = data;
  napi_value undefined;
  napi_get_undefined(env, &undefined);
  napi_resolve_deferred(env, t->deferred, undefined);
  napi_delete_async_work(env, t->work);
  free(t);
}

/* nothingElsewhere(): a promise */
static napi_value nothing_elsewhere(napi_env env, napi_callback_info info) {
  (void)info;
  napi_value promise, name;
  trip *t = malloc(sizeof *t);
  napi_create_promise(env, &t->deferred, &promise);
  napi_create_string_utf8(env, "nothing", NAPI_AUTO_LENGTH, &name);
  napi_create_async_work(env, NULL, name, do_nothing, on_trip_done, t, &t->work);
  napi_queue_async_work(env, t->work);
  return promise;
}

typedef struct {
  client *client;
  int64_t count;
} flood_order;

static void *tell(void *data) {
  flood_order order = *(flood_order *)data;
  free(data);
  tim_event event = {
      .struct_size = sizeof event,
      .kind = TIM_EVENT_CONNECTING,
      .by_label = "",
      .text = "thirty-two bytes of words for it",
  };
  for (int64_t i = 0; i < order.count; i++) on_event(order.client->number, &event, order.client);
  client_release(order.client);
  return NULL;
}

/* flood(handle, count): tells that many events, as libtim's thread does */
static napi_value flood(napi_env env, napi_callback_info info) {
  napi_value values[MAX_ARGUMENTS];
  flood_order *order = malloc(sizeof *order);
  pthread_t thread;
  order->client = arguments(env, info, values);
  napi_get_value_int64(env, values[1], &order->count);
  atomic_fetch_add(&order->client->users, 1);
  pthread_create(&thread, NULL, tell, order);
  pthread_detach(thread);
  return NULL;
}

static const function baselines[] = {
    {"nothing", nothing},
    {"nothingElsewhere", nothing_elsewhere},
    {"flood", flood},
};

NAPI_MODULE_EXPORT napi_value napi_register_module_v1(napi_env env, napi_value exports);
napi_value napi_register_module_v1(napi_env env, napi_value exports) {
  for (size_t i = 0; i < sizeof baselines / sizeof baselines[0]; i++) {
    napi_value made;
    napi_create_function(env, baselines[i].name, NAPI_AUTO_LENGTH, baselines[i].function, NULL,
                         &made);
    napi_set_named_property(env, exports, baselines[i].name, made);
  }
  return addon_register(env, exports);
}
