# What Gradle's prefab makes of com.facebook.fbjni:fbjni, unpacked in AAR.
add_library(fbjni::fbjni SHARED IMPORTED GLOBAL)
set_target_properties(fbjni::fbjni PROPERTIES
  IMPORTED_LOCATION ${AAR}/fbjni/jni/arm64-v8a/libfbjni.so
  INTERFACE_INCLUDE_DIRECTORIES ${AAR}/fbjni/prefab/modules/fbjni/include)
