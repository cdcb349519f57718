#!/usr/bin/env bash
# glibc.sh DIR makes libraries for the linker alone: the names that glibc moved to libc after 2.28, where they were before and
# under the versions that they had. What is linked with -LDIR and flags_of_glibc asks for those, so it runs on glibc 2.28 and
# on new ones, which keep the old names for such programs.
#
# capi/build.sh and bindings/node/build.sh say for whom: CC, and GOARCH for the versions.
set -euo pipefail
dir=$1
case $(go env GOARCH) in
  amd64) version=GLIBC_2.2.5 ;;
  arm64) version=GLIBC_2.17 ;;
  *) echo "glibc.sh: which version of glibc is the first for $(go env GOARCH)?" >&2 && exit 1 ;;
esac

# stub SONAME NAME...
stub() {
  local soname=$1 name
  shift
  for name in "$@"; do echo "void $name(void) {}"; done > "$dir/stub.c"
  echo "$version { global: *; };" > "$dir/stub.map"
  "${CC:-gcc}" -w -fno-builtin -shared -nostdlib -Wl,-soname,"$soname" -Wl,--version-script="$dir/stub.map" \
    "$dir/stub.c" -o "$dir/${soname%.so.*}.so"
}

rm -rf "$dir"
mkdir -p "$dir"
stub libpthread.so.0 pthread_attr_getstack pthread_attr_getstacksize pthread_create pthread_detach pthread_getattr_np \
  pthread_getspecific pthread_join pthread_key_create pthread_key_delete pthread_once pthread_setspecific pthread_sigmask
stub libdl.so.2 dladdr dlclose dlerror dlopen dlsym
stub libresolv.so.2 __res_search
