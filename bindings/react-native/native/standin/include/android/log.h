/* What the Go runtime and React Native's headers use of Android's log. */
#pragma once
#include <stdarg.h>
#ifdef __cplusplus
extern "C" {
#endif
enum {
  ANDROID_LOG_VERBOSE = 2,
  ANDROID_LOG_DEBUG,
  ANDROID_LOG_INFO,
  ANDROID_LOG_WARN,
  ANDROID_LOG_ERROR,
  ANDROID_LOG_FATAL,
};
int __android_log_write(int priority, const char *tag, const char *text);
int __android_log_print(int priority, const char *tag, const char *format, ...);
int __android_log_vprint(int priority, const char *tag, const char *format, va_list arguments);
void __android_log_assert(const char *condition, const char *tag, const char *format, ...);
#ifdef __cplusplus
}
#endif
