/* What the Go runtime uses of CoreFoundation on an iPhone. */
#pragma once
#include <CoreFoundation/CFString.h>
typedef const struct __CFBundle *CFBundleRef;
typedef const struct __CFURL *CFURLRef;
CFBundleRef CFBundleGetMainBundle(void);
CFURLRef CFBundleCopyResourceURL(CFBundleRef bundle, CFStringRef name, CFStringRef type,
                                 CFStringRef folder);
CFTypeRef CFBundleGetValueForInfoDictionaryKey(CFBundleRef bundle, CFStringRef key);
CFStringRef CFURLGetString(CFURLRef url);
