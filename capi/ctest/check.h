/* Checks for test programs: a failed one says where and ends the process. */
#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>
#include <stdlib.h>

#include "tim.h"

#define CHECK(condition) \
  do { \
    if (!(condition)) { \
      fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
      exit(1); \
    } \
  } while (0)

#define CHECK_CODE(expression, expected) \
  do { \
    tim_code code_ = (expression), expected_ = (expected); \
    if (code_ != expected_) { \
      fprintf(stderr, "%s:%d: %s is %s (%d) instead of %s (%d)\n", __FILE__, __LINE__, \
              #expression, tim_code_name(code_), (int)code_, tim_code_name(expected_), \
              (int)expected_); \
      exit(1); \
    } \
  } while (0)

#define CHECK_OK(expression) CHECK_CODE(expression, TIM_OK)

#endif
