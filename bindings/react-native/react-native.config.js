// How React Native's tools find the C++ of this package. There is no Gradle project and no Java: Android's build compiles
// android/CMakeLists.txt into the app's own library.
module.exports = {
  dependency: {
    platforms: {
      ios: {},
      android: {
        cmakeListsPath: 'generated/jni/CMakeLists.txt',
        cxxModuleCMakeListsModuleName: 'opentim-react-native',
        cxxModuleCMakeListsPath: 'CMakeLists.txt',
        cxxModuleHeaderName: 'NativeTim',
      },
    },
  },
};
