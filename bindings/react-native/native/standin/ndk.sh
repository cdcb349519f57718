#!/usr/bin/env bash
# ndk.sh DIR makes what looks like an NDK out of Debian's clang, lld and cross libraries, so that android.sh can be run where
# there is no NDK. The C library is glibc instead of bionic: what comes out is checked and measured, but loads on no phone.
#
# For arm64 there is a compiler for C++, too, with the names that Android's libc++ gives its symbols, and a JDK's jni.h with the
# names of Android's.
#
# Needs: clang-19 lld-19 llvm-19 gcc-aarch64-linux-gnu gcc-arm-linux-gnueabihf gcc-i686-linux-gnu; for C++ libc++-19-dev and a JDK
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
dir=$1 llvm=/usr/lib/llvm-19/bin
bin=$dir/toolchains/llvm/prebuilt/linux-x86_64/bin
mkdir -p "$bin"
echo "Pkg.Revision = 27.0.0-standin" > "$dir/source.properties"

# clang TRIPLE TARGET FLAGS: a compiler with a liblog of its own.
clang() {
  local lib=$dir/lib/$1
  mkdir -p "$lib"
  cat > "$bin/$1"24-clang << END
#!/bin/sh
for flag; do
  shift
  [ "\$flag" = "\$STANDIN_DROPS" ] || set -- "\$@" "\$flag"
done
exec $llvm/clang --target=$2 --ld-path=$llvm/ld.lld -Wno-unused-command-line-argument -isystem "$here/include" -L"$lib" $3 "\$@"
END
  chmod +x "$bin/$1"24-clang
  printf 'int __android_log_%s(void) { return 0; }\n' vprint write print assert |
    "$bin/$1"24-clang -shared -fPIC -nostdlib -Wl,-soname,liblog.so -x c - -o "$lib/liblog.so"
}
clang aarch64-linux-android aarch64-linux-gnu ""
clang armv7a-linux-androideabi arm-linux-gnueabihf -march=armv7-a
clang x86_64-linux-android x86_64-linux-gnu ""
clang i686-linux-android i686-linux-gnu ""

ln -sf $llvm/llvm-strip $llvm/llvm-nm "$bin/"
cat > "$bin/llvm-readelf" << END
#!/bin/sh
# glibc's libraries stand for bionic's.
$llvm/llvm-readelf "\$@" | sed -e 's/\[libc\.so\.6\]/[libc.so]/' -e 's/\[ld-linux[^]]*\]/[libdl.so]/'
END
chmod +x "$bin/llvm-readelf"

include=/usr/lib/llvm-19/include/c++/v1
[ -d $include ] || exit 0
jdk=$(dirname "$(dirname "$(readlink -f "$(command -v javac)")")")/include
mkdir -p "$dir/cxx"
sed 's/_LIBCPP_ABI_NAMESPACE __1/_LIBCPP_ABI_NAMESPACE __ndk1/' $include/__config_site > "$dir/cxx/__config_site"
cat > "$bin/aarch64-linux-android24-clang++" << END
#!/bin/sh
exec $llvm/clang++ --target=aarch64-linux-gnu --ld-path=$llvm/ld.lld -Wno-unused-command-line-argument -fPIC -nostdlib++ -nostdinc++ \
  -isystem "$dir/cxx" -isystem $include -isystem "$here/include" -isystem "$jdk" -isystem "$jdk/linux" -L"$dir/lib/aarch64-linux-android" \
  -D__ANDROID__ -D__ANDROID_API__=24 -DJNIEnv_=_JNIEnv -DJavaVM_=_JavaVM "\$@"
END
chmod +x "$bin/aarch64-linux-android24-clang++"
