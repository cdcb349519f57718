/* What the Go runtime uses of Android's log. */
#pragma once
#include <stdarg.h>
enum { ANDROID_LOG_FATAL = 7 };
int __android_log_vprint(int priority, const char *tag, const char *format, va_list arguments);
