# What Gradle's prefab makes of com.facebook.react:react-android, unpacked in AAR: its headers and its libraries for arm64.
foreach(name jsi reactnative)
  add_library(ReactAndroid::${name} SHARED IMPORTED GLOBAL)
  set_target_properties(ReactAndroid::${name} PROPERTIES
    IMPORTED_LOCATION ${AAR}/react-android/jni/arm64-v8a/lib${name}.so
    INTERFACE_INCLUDE_DIRECTORIES ${AAR}/react-android/prefab/modules/${name}/include)
endforeach()
