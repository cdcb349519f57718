//go:build timtesting

#include "tim_internal.h"
#include "tim_testing.h"

extern tim_code timgo_testing_panic(tim_client client, int32_t where);

tim_code tim_testing_panic(tim_client client, int32_t where) {
  return timgo_testing_panic(client, where);
}
