/* glibc's, with the one prototype that bionic has otherwise. */
#pragma once
#define getnameinfo getnameinfo_of_glibc
#include_next <netdb.h>
#undef getnameinfo
int getnameinfo(const struct sockaddr *, socklen_t, char *, size_t, char *, size_t, int);
