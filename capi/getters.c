/* The functions of tim.h that never enter Go: they read what Go publishes, or constants. */
#define TIM_BUILDING
#include "tim_internal.h"

#include <string.h>
#include <time.h>

int32_t tim_get_login_status(tim_client client) {
  uint64_t state;
  return tim_look(client, &state) ? (int32_t)(state & TIM_STATUS_MASK) : TIM_NOT_INITIALIZED;
}

int32_t tim_is_ready(tim_client client) {
  uint64_t state;
  return tim_look(client, &state) && state & TIM_READY;
}

/* Copies the name. While that lasts another one may be written, but not where this one is; a third one would be. */
static void read_user(const struct tim_published *now, uint64_t name[5]) {
  uint64_t seq, then = __atomic_load_n(&now->user_seq, __ATOMIC_ACQUIRE);
  do {
    seq = then;
    for (int i = 0; i < 5; i++) name[i] = __atomic_load_n(&now->user[seq % 2][i], __ATOMIC_ACQUIRE);
    then = __atomic_load_n(&now->user_seq, __ATOMIC_ACQUIRE);
  } while (then != seq);
}

/* The two getters below ask for the client again when they have read: in between, the slot may have become another's. */

tim_code tim_get_login_user(tim_client client, char *buffer, size_t *size) {
  uint64_t name[5], state;
  size_t capacity, needed;
  const struct tim_published *now = tim_look(client, &state);

  if (!now) return TIM_NOT_INITIALIZED;
  if (!size || (!buffer && *size)) return TIM_INVALID_PARAMETERS;
  read_user(now, name);
  if (!tim_look(client, &state)) return TIM_NOT_INITIALIZED;
  capacity = *size;
  needed = strlen((const char *)name) + 1;
  *size = needed;
  if (capacity < needed) return TIM_INVALID_PARAMETERS;
  memcpy(buffer, name, needed);
  return TIM_OK;
}

tim_code tim_get_server_time(tim_client client, int64_t *unix_ms) {
  struct timespec here;
  int64_t offset;
  uint64_t state;
  const struct tim_published *now = tim_look(client, &state);

  if (unix_ms) *unix_ms = 0;
  if (!now) return TIM_NOT_INITIALIZED;
  if (!unix_ms) return TIM_INVALID_PARAMETERS;
  offset = __atomic_load_n(&now->clock_offset_ns, __ATOMIC_ACQUIRE);
  if (!tim_look(client, &state)) return TIM_NOT_INITIALIZED;
  if (offset == TIM_CLOCK_UNKNOWN) return TIM_NOT_LOGGED_IN;
  clock_gettime(CLOCK_REALTIME, &here);
  *unix_ms = ((int64_t)here.tv_sec * 1000000000 + here.tv_nsec + offset) / 1000000;
  return TIM_OK;
}

const char *tim_code_name(tim_code code) {
  switch (code) {
#define NAME(constant, name, text, retry) \
  case constant: \
    return #constant;
    TIM_CODE_MAP(NAME)
#undef NAME
  }
  return "TIM_UNKNOWN";
}

const char *tim_code_text(tim_code code) {
  switch (code) {
#define TEXT(constant, name, text, retry) \
  case constant: \
    return text;
    TIM_CODE_MAP(TEXT)
#undef TEXT
  }
  return "unknown code";
}

const char *tim_version(void) { return TIM_VERSION_STRING; }
uint32_t tim_abi_version(void) { return TIM_ABI_VERSION; }
