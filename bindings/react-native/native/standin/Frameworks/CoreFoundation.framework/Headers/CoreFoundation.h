/* What TimFolder.cpp uses of CoreFoundation on an iPhone. */
#pragma once
#include <CoreFoundation/CFBundle.h>
typedef long CFIndex;
typedef const struct __CFAllocator *CFAllocatorRef;
typedef const struct __CFBoolean *CFBooleanRef;
typedef struct __CFError *CFErrorRef;
#ifdef __cplusplus
extern "C" {
#endif
extern const CFBooleanRef kCFBooleanTrue;
extern const CFStringRef kCFURLIsExcludedFromBackupKey;
CFURLRef CFURLCreateFromFileSystemRepresentation(CFAllocatorRef allocator, const UInt8 *path,
                                                 CFIndex length, Boolean isDirectory);
Boolean CFURLSetResourcePropertyForKey(CFURLRef url, CFStringRef key, CFTypeRef value,
                                       CFErrorRef *error);
#ifdef __cplusplus
}
#endif
