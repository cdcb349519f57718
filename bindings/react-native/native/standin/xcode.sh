#!/usr/bin/env bash
# xcode.sh DIR makes an xcrun whose clang compiles for iOS, out of Debian's clang and lld and the headers of Apple's C library
# that the package ziglang has, so that the commands of ios.sh up to Go's archive can be run on Linux. Apple's linker, which
# makes one object of it, cannot be had here.
#
# Needs: clang-19 lld-19 python3-pip
set -euo pipefail
ziglang=0.15.2
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
dir=$1 llvm=/usr/lib/llvm-19/bin
sdk=$dir/sdk
if [ ! -e "$sdk/usr/include/pthread.h" ]; then
  rm -rf "$dir"
  mkdir -p "$sdk/usr/lib" "$dir/wheel"
  python3 -m pip download -q --no-deps --disable-pip-version-check -d "$dir/wheel" ziglang==$ziglang
  python3 - "$dir"/wheel/*.whl "$sdk/usr" << 'END'
import pathlib, sys, zipfile

wheel, usr = sys.argv[1:]
headers = "ziglang/lib/libc/include/any-macos-any/"
with zipfile.ZipFile(wheel) as archive:
    for name in archive.namelist():
        if name.startswith(headers) and not name.endswith("/"):
            to = pathlib.Path(usr, "include", name[len(headers) :])
            to.parent.mkdir(parents=True, exist_ok=True)
            to.write_bytes(archive.read(name))
    text = archive.read("ziglang/lib/libc/darwin/libSystem.tbd").decode()
for system in "arm64-ios", "arm64-ios-simulator", "x86_64-ios-simulator":
    pathlib.Path(usr, "lib", system).mkdir()
    of = system.split("-")[0] + "-macos"
    pathlib.Path(usr, "lib", system, "libSystem.tbd").write_text(text.replace(of, system))
END
  rm -r "$dir/wheel"
fi
cat > "$dir/xcrun" << END
#!/bin/sh
# xcrun --sdk NAME clang -target TARGET ...
shift 3
case \$2 in
  arm64*simulator) lib=arm64-ios-simulator ;;
  arm64*) lib=arm64-ios ;;
  *) lib=x86_64-ios-simulator ;;
esac
exec $llvm/clang -isysroot "$sdk" -iframework "$here/Frameworks" --ld-path=$llvm/ld64.lld -L"$sdk/usr/lib/\$lib" \
  -Wno-unused-command-line-argument "\$@"
END
chmod +x "$dir/xcrun"
