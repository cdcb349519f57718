/* What the Go runtime uses of CoreFoundation on an iPhone. */
#pragma once
#include <MacTypes.h>
typedef const void *CFTypeRef;
typedef const struct __CFString *CFStringRef;
enum { kCFStringEncodingUTF8 = 0x08000100 };
#define CFSTR(text) ((CFStringRef)__builtin___CFStringMakeConstantString(text))
Boolean CFStringGetCString(CFStringRef text, char *buffer, long size, unsigned encoding);
void CFRelease(CFTypeRef value);
