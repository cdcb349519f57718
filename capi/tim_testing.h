/* What only the libraries of capi/build.sh variant asan and tsan export: ways to make tim fail. */
#ifndef TIM_TESTING_H
#define TIM_TESTING_H

#include "tim.h"

enum { TIM_TESTING_IN_CALL = 1, TIM_TESTING_IN_DELIVERY = 2 };

/* Panics in Go, in this call or in the next callback of client. */
TIM_API tim_code TIM_CALL tim_testing_panic(tim_client client, int32_t where);

#endif
