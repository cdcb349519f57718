/* What JavaScript calls. Functions never throw: what is wrong is a code. The TypeScript above hands over values of the right
 * types; whatever else comes is TIM_INVALID_PARAMETERS. */
#ifdef _WIN32
#  include <windows.h>
#else
#  include <dlfcn.h>
#endif
#include <stdlib.h>
#include <string.h>

#include "addon.h"

enum { MAX_ARGUMENTS = 4 };

/* Tells our handles from objects of other addons. */
static const napi_type_tag handle_tag = {0x7f2a9d3c51b84e06, 0x9c41e7d0a8365b2f};

/* ---- values ------------------------------------------------------------------------------------------------------ */

static napi_value number(napi_env env, double value) {
  napi_value made = NULL;
  napi_create_double(env, value, &made);
  return made;
}

/* Copies a string; the caller frees it. NULL: it is no string, or it has a NUL inside. */
static char *text_of(napi_env env, napi_value value) {
  size_t length;
  if (napi_get_value_string_utf8(env, value, NULL, 0, &length) != napi_ok) return NULL;
  char *text = malloc(length + 1);
  if (text == NULL) return NULL;
  if (napi_get_value_string_utf8(env, value, text, length + 1, &length) != napi_ok ||
      strlen(text) != length) {
    free(text);
    return NULL;
  }
  return text;
}

/* The client behind a handle, or NULL. */
static client *client_of(napi_env env, napi_value handle) {
  bool ours = false;
  void *found = NULL;
  napi_valuetype type;
  if (napi_typeof(env, handle, &type) != napi_ok || type != napi_object) return NULL;
  if (napi_check_object_type_tag(env, handle, &handle_tag, &ours) != napi_ok || !ours) return NULL;
  return napi_unwrap(env, handle, &found) == napi_ok ? found : NULL;
}

/* Reads the arguments of a function; missing ones are undefined. The first one is a handle: returns its client, or NULL. */
static client *arguments(napi_env env, napi_callback_info info, napi_value values[MAX_ARGUMENTS]) {
  size_t count = MAX_ARGUMENTS;
  if (napi_get_cb_info(env, info, &count, values, NULL, NULL) != napi_ok) return NULL;
  return client_of(env, values[0]);
}

/* ---- getters ----------------------------------------------------------------------------------------------------- */

/* The client of a getter, which is a function of its handle: asking whose handle it is would cost ten times the call. */
static client *owner(napi_env env, napi_callback_info info) {
  void *c = NULL;
  napi_get_cb_info(env, info, NULL, NULL, NULL, &c);
  return c;
}

/* status(): a LoginStatus; LoggedOut for a client that is closed */
static napi_value status(napi_env env, napi_callback_info info) {
  int32_t found = tim_get_login_status(owner(env, info)->number);
  return number(env, found == TIM_NOT_INITIALIZED ? TIM_LOGGED_OUT : found);
}

/* ready(): a boolean */
static napi_value ready(napi_env env, napi_callback_info info) {
  napi_value made = NULL;
  napi_get_boolean(env, tim_is_ready(owner(env, info)->number), &made);
  return made;
}

/* user(): who is logged in, or '' */
static napi_value user(napi_env env, napi_callback_info info) {
  napi_value made = NULL;
  char name[TIM_USER_ID_SIZE] = "";
  size_t size = sizeof name;
  if (tim_get_login_user(owner(env, info)->number, name, &size) != TIM_OK) name[0] = '\0';
  napi_create_string_utf8(env, name, NAPI_AUTO_LENGTH, &made);
  return made;
}

/* serverTimeMs(): the server's clock, or 0 */
static napi_value server_time_ms(napi_env env, napi_callback_info info) {
  int64_t now = 0;
  if (tim_get_server_time(owner(env, info)->number, &now) != TIM_OK) now = 0;
  return number(env, (double)now);
}

typedef struct {
  const char *name;
  napi_callback function;
} function;

/* Gives a handle its getters. Each keeps the handle, and so the client, for as long as anybody has it. */
static bool add_getters(napi_env env, napi_value handle, client *c) {
  static const function getters[] = {
      {"status", status}, {"ready", ready}, {"user", user}, {"serverTimeMs", server_time_ms}};
  napi_property_descriptor keeps = {.utf8name = "handle", .value = handle};
  for (size_t i = 0; i < sizeof getters / sizeof getters[0]; i++) {
    napi_value made;
    if (napi_create_function(env, getters[i].name, NAPI_AUTO_LENGTH, getters[i].function, c,
                             &made) != napi_ok ||
        napi_define_properties(env, made, 1, &keeps) != napi_ok ||
        napi_set_named_property(env, handle, getters[i].name, made) != napi_ok)
      return false;
  }
  return true;
}

/* ---- create ------------------------------------------------------------------------------------------------------ */

/* The members of EngineConfig. A member that is missing or of another type fails the whole. */
typedef struct {
  napi_env env;
  napi_value object;
  bool failed;
  char *texts[8]; /* to be freed */
  int count;
} members;

static napi_value member(members *m, const char *name) {
  napi_value value = NULL;
  if (napi_get_named_property(m->env, m->object, name, &value) != napi_ok) m->failed = true;
  return value;
}

static double member_number(members *m, const char *name) {
  double value = 0;
  napi_value found = member(m, name);
  if (m->failed || napi_get_value_double(m->env, found, &value) != napi_ok) m->failed = true;
  return value;
}

static int32_t member_int(members *m, const char *name) {
  double value = member_number(m, name);
  if (!(value >= INT32_MIN && value <= INT32_MAX)) m->failed = true;
  return m->failed ? 0 : (int32_t)value;
}

static bool member_flag(members *m, const char *name) {
  bool value = false;
  napi_value found = member(m, name);
  if (m->failed || napi_get_value_bool(m->env, found, &value) != napi_ok) m->failed = true;
  return value;
}

static const char *member_text(members *m, const char *name) {
  napi_value found = member(m, name);
  char *text = m->failed ? NULL : text_of(m->env, found);
  if (text == NULL) {
    m->failed = true;
    return NULL;
  }
  m->texts[m->count++] = text;
  return text[0] == '\0' ? NULL : text;
}

static void read_config(members *m, tim_config *config) {
  double app = member_number(m, "sdkAppID");
  if (!(app >= 0 && app <= 9007199254740991.0)) m->failed = true;
  config->sdk_app_id = m->failed ? 0 : (uint64_t)app;
  config->platform = member_int(m, "platform");
  config->url = member_text(m, "url");
  config->data_dir = member_text(m, "dataDir");
  config->instance = member_text(m, "instance");
  config->label = member_text(m, "label");
  config->sdk = member_text(m, "sdk");
  config->ca_pem = member_text(m, "caPem");
  config->login_timeout_ms = member_int(m, "loginTimeoutMs");
  config->logout_timeout_ms = member_int(m, "logoutTimeoutMs");
  config->allow_insecure = member_flag(m, "allowInsecure");
  config->background = member_flag(m, "background");
  config->log_level = member_int(m, "logLevel");
  if (member_flag(m, "ticketProvider")) config->ticket_provider = on_ticket;
}

static void on_handle_gone(napi_env env, void *data, void *hint) {
  (void)env, (void)hint;
  client_release(data);
}

/* A handle for a new client, which lives until the handle is garbage and the client is over. */
static napi_value new_handle(napi_env env, client *c) {
  napi_value handle;
  if (napi_create_object(env, &handle) == napi_ok &&
      napi_type_tag_object(env, handle, &handle_tag) == napi_ok && add_getters(env, handle, c) &&
      napi_wrap(env, handle, c, on_handle_gone, NULL, NULL) == napi_ok)
    return handle;
  client_over(c);
  client_release(c);
  return number(env, TIM_INTERNAL);
}

/* create(config, deliver): a handle, or a code */
static napi_value create(napi_env env, napi_callback_info info) {
  napi_value values[MAX_ARGUMENTS];
  napi_valuetype type;
  arguments(env, info, values);
  if (napi_typeof(env, values[0], &type) != napi_ok || type != napi_object)
    return number(env, TIM_INVALID_PARAMETERS);
  if (napi_typeof(env, values[1], &type) != napi_ok || type != napi_function)
    return number(env, TIM_INVALID_PARAMETERS);

  members m = {.env = env, .object = values[0]};
  tim_config config = TIM_CONFIG_INIT;
  client *c = NULL;
  read_config(&m, &config);
  tim_code code = m.failed ? TIM_INVALID_PARAMETERS : client_new(env, &config, values[1], &c);
  for (int i = 0; i < m.count; i++) free(m.texts[i]);
  if (code == TIM_OK) return new_handle(env, c);
  if (c != NULL) client_release(c);
  return number(env, code);
}

/* pump(handle, deliver): the next batch, in a turn of the event loop of its own */
static napi_value pump(napi_env env, napi_callback_info info) {
  napi_value values[MAX_ARGUMENTS];
  napi_valuetype type;
  client *c = arguments(env, info, values);
  if (c != NULL && napi_typeof(env, values[1], &type) == napi_ok && type == napi_function)
    deliver_batch(env, c, values[1]); /* for anything else the batch would be lost */
  return NULL;
}

/* ---- calls that are answered --------------------------------------------------------------------------------------- */

typedef enum { LOGIN, LOGOUT, RENEW } call_kind;

static tim_code start(call_kind kind, client *c, const char *user_id, const char *ticket,
                      call *started) {
  switch (kind) {
  case LOGIN:
    return tim_login(c->number, user_id, ticket, on_done, started);
  case LOGOUT:
    return tim_logout(c->number, on_done, started);
  case RENEW:
    return tim_renew(c->number, ticket, on_done, started);
  }
  return TIM_INTERNAL;
}

/* Starts a call whose strings may be NULL where it takes none, and frees them. */
static napi_value start_call(napi_env env, call_kind kind, client *c, napi_value request,
                             char *user_id, char *ticket) {
  call *started = malloc(sizeof *started);
  tim_code code = TIM_INVALID_PARAMETERS;
  if (started == NULL) code = TIM_OUT_OF_MEMORY;
  if (started != NULL && c != NULL &&
      napi_get_value_double(env, request, &started->request) == napi_ok) {
    started->client = c;
    code = start(kind, c, user_id, ticket, started);
  }
  if (code != TIM_OK) free(started);
  free(user_id);
  free(ticket);
  return number(env, code);
}

/* login(handle, request, userID, ticket): a code */
static napi_value login(napi_env env, napi_callback_info info) {
  napi_value values[MAX_ARGUMENTS];
  client *c = arguments(env, info, values);
  return start_call(env, LOGIN, c, values[1], text_of(env, values[2]), text_of(env, values[3]));
}

/* logout(handle, request): a code */
static napi_value logout(napi_env env, napi_callback_info info) {
  napi_value values[MAX_ARGUMENTS];
  client *c = arguments(env, info, values);
  return start_call(env, LOGOUT, c, values[1], NULL, NULL);
}

/* renew(handle, request, ticket): a code */
static napi_value renew(napi_env env, napi_callback_info info) {
  napi_value values[MAX_ARGUMENTS];
  client *c = arguments(env, info, values);
  return start_call(env, RENEW, c, values[1], NULL, text_of(env, values[2]));
}

/* ---- calls that are not -------------------------------------------------------------------------------------------- */

/* provideTicket(handle, request, ticket): a code */
static napi_value provide_ticket(napi_env env, napi_callback_info info) {
  napi_value values[MAX_ARGUMENTS];
  client *c = arguments(env, info, values);
  int64_t request = 0;
  char *ticket = text_of(env, values[2]);
  tim_code code = TIM_INVALID_PARAMETERS;
  if (c != NULL && ticket != NULL && napi_get_value_int64(env, values[1], &request) == napi_ok)
    code = tim_provide_ticket(c->number, (uint64_t)request, ticket);
  free(ticket);
  return number(env, code);
}

/* wake(handle): a code */
static napi_value wake(napi_env env, napi_callback_info info) {
  napi_value values[MAX_ARGUMENTS];
  client *c = arguments(env, info, values);
  return number(env, c == NULL ? TIM_INVALID_PARAMETERS : tim_wake(c->number));
}

/* setBackground(handle, background): a code */
static napi_value set_background(napi_env env, napi_callback_info info) {
  napi_value values[MAX_ARGUMENTS];
  client *c = arguments(env, info, values);
  bool background = false;
  if (c == NULL || napi_get_value_bool(env, values[1], &background) != napi_ok)
    return number(env, TIM_INVALID_PARAMETERS);
  return number(env, tim_set_background(c->number, background));
}

/* close(handle): a code */
static napi_value close_client(napi_env env, napi_callback_info info) {
  napi_value values[MAX_ARGUMENTS];
  client *c = arguments(env, info, values);
  return number(env, c == NULL ? TIM_INVALID_PARAMETERS : client_close(c));
}

/* hold(handle, hold): whether the client keeps the process alive */
static napi_value hold(napi_env env, napi_callback_info info) {
  napi_value values[MAX_ARGUMENTS];
  client *c = arguments(env, info, values);
  bool wanted = false;
  if (c != NULL && napi_get_value_bool(env, values[1], &wanted) == napi_ok) client_hold(c, wanted);
  return NULL;
}

/* ---- the library --------------------------------------------------------------------------------------------------- */

/* version(): libtim's */
static napi_value version(napi_env env, napi_callback_info info) {
  (void)info;
  napi_value made = NULL;
  napi_create_string_utf8(env, tim_version(), NAPI_AUTO_LENGTH, &made);
  return made;
}

/* ---- the module ------------------------------------------------------------------------------------------------------ */

/* Node unloads an addon with the last worker that uses it, while threads of libtim may still return into this code. */
static void pin(void) {
#ifdef _WIN32
  HMODULE self;
  GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_PIN,
                     (LPCWSTR)&handle_tag, &self);
#else
  Dl_info self;
  if (dladdr((void *)&handle_tag, &self) != 0)
    (void)dlopen(self.dli_fname, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
#endif
}

static const function functions[] = {
    {"create", create},      {"pump", pump},
    {"login", login},        {"logout", logout},
    {"renew", renew},        {"provideTicket", provide_ticket},
    {"wake", wake},          {"setBackground", set_background},
    {"close", close_client}, {"hold", hold},
    {"version", version},
};

NAPI_MODULE_INIT() {
  static pthread_once_t pinned = PTHREAD_ONCE_INIT;
  pthread_once(&pinned, pin);
  for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
    napi_value made;
    napi_status status = napi_create_function(env, functions[i].name, NAPI_AUTO_LENGTH,
                                              functions[i].function, NULL, &made);
    if (status == napi_ok) status = napi_set_named_property(env, exports, functions[i].name, made);
    if (status != napi_ok) return NULL;
  }
  return exports;
}
