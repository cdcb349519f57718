# shellcheck shell=bash
# Sourced by ship.sh: what needs compilers that are no part of a default test.
# shellcheck disable=SC2154 # what ship.sh has
react_android=com.facebook.react:react-android:0.87.1 # the newest that Maven Central has for certain
fbjni=com.facebook.fbjni:fbjni:0.7.0
ndk=$work/ndk

# fetch ARTIFACT FOLDER PATTERN unpacks an archive of Maven Central once.
fetch() {
  [ ! -d "$work/aar/$2" ] || return 0
  mvn -q -B dependency:copy -Dartifact="$1" -DoutputDirectory="$work/aar"
  mkdir -p "$work/aar/$2.part"
  unzip -q "$work/aar/$2"*.aar 'jni/arm64-v8a/*' 'prefab/modules/*/include/*' -d "$work/aar/$2.part"
  rm "$work/aar/$2"*.aar
  mv "$work/aar/$2.part" "$work/aar/$2"
}

# The library of an app, linked for arm64 with React Native's own libraries: no symbol may be missing. Only the C library is not
# Android's.
links_for_android() {
  local build=$work/cmake bin=$ndk/toolchains/llvm/prebuilt/linux-x86_64/bin linked needed
  lib=$work/aar/react-android/jni/arm64-v8a
  fetch $react_android:aar:release react-android
  fetch $fbjni:aar fbjni
  bash bindings/react-native/native/standin/ndk.sh "$ndk"
  OUT=build/rn-ship/native ANDROID_NDK_HOME=$ndk bash bindings/react-native/native/android.sh arm64-v8a
  rm -rf "$build" "$package/android/libs"
  node "$ship/autolinking.mjs" "$work/cli.json" "$build/generated/autolinking/src/main/jni"
  configure "$build" "$bin" > "$build/configure.log" 2>&1 && fail "CMake does not miss libtim"
  grep -q 'has no libtim for arm64-v8a' "$build/configure.log" || fail "$(cat "$build/configure.log")"
  cp -r "$work/native/android/libs" "$package/android/"
  configure "$build" "$bin" > "$build/configure.log" 2>&1 || fail "$(tail -n 30 "$build/configure.log")"
  cmake --build "$build/out" -j2 > "$build/build.log" 2>&1 || fail "$(grep -E 'error|undefined' "$build/build.log" | head -n 30)"
  linked=$(find "$build/out" -name 'libappmodules.so')
  needed=$("$bin/llvm-readelf" -dW "$linked" | sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p' | sort | xargs)
  grep -qw 'libtim.so' <<< "$needed" || fail "the app's library does not need libtim.so but: $needed"
  grep -q / <<< "$needed" && fail "the app's library needs a path of this machine: $needed"
  echo "an app's library for arm64 links with those of $react_android; it needs $needed"
}

# configure BUILD BIN
configure() {
  cmake -S "$ship/cmake" -B "$1/out" -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR=aarch64 \
    -DCMAKE_CXX_COMPILER="$2/aarch64-linux-android24-clang++" -DCMAKE_CXX_COMPILER_WORKS=1 \
    -DCMAKE_CXX_STANDARD_LIBRARIES="-llog $lib/libc++_shared.so" \
    -DCMAKE_SHARED_LINKER_FLAGS="-Wl,--no-undefined -Wl,--allow-shlib-undefined -Wl,-z,max-page-size=16384" \
    -DANDROID_ABI=arm64-v8a -DREACT_ANDROID_DIR="$root/node_modules/react-native/ReactAndroid" -DPROJECT_BUILD_DIR="$1" \
    -DPROJECT_ROOT_DIR="$app" -DAAR="$work/aar" -DReactAndroid_DIR="$ship/cmake" -Dfbjni_DIR="$ship/cmake"
}

# The files for iOS as Objective-C++. GNUstep stands for Apple's Foundation.
registers_on_ios() {
  local out=$work/ios common=$root/node_modules/react-native/ReactCommon flags source
  mkdir -p "$out"
  bash capi/build.sh
  mapfile -t flags < <(includes)
  rm -f "$out"/*.o
  for source in "$package"/ios/TimOnLoad.mm "$ship/registered.mm" "$package"/cpp/*.cpp "$common"/jsi/jsi/jsi.cpp \
    "$common"/react/bridging/LongLivedObject.cpp "$common"/react/nativemodule/core/ReactCommon/{TurboModule,CxxTurboModuleUtils}.cpp; do
    clang++-19 -std=c++20 -O0 -w -x objective-c++ -fobjc-runtime=gcc -fconstant-string-class=NSConstantString -fexceptions \
      -DREACT_NATIVE_PRODUCTION=1 "${flags[@]}" -isystem /usr/include/GNUstep \
      -idirafter /usr/lib/gcc/x86_64-linux-gnu/12/include -c "$source" -o "$out/$(basename "$source").o"
  done
  clang++-19 "$out"/*.o -o "$out/registered" -Lbuild/lib -ltim -Wl,-rpath,"$root/build/lib" -lgnustep-base -lobjc
  "$out/registered"
}
