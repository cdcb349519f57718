// autolinking.mjs CONFIG.json FOLDER writes for our package what React Native's Gradle plugin writes for an app, in the form of
// its GenerateAutolinkingNewArchitecturesFileTask, from what `react-native config` printed.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';

const [file, folder] = process.argv.slice(2);
const { android } = JSON.parse(readFileSync(file, 'utf8')).dependencies['@opentim/react-native']
  .platforms;
const directory = (path) => path.replace('CMakeLists.txt', '');
const { libraryName, cxxModuleHeaderName } = android;

mkdirSync(folder, { recursive: true });
writeFileSync(
  `${folder}/Android-autolinking.cmake`,
  `cmake_minimum_required(VERSION 3.13)
set(REACTNATIVE_MERGED_SO true)
set(AUTOLINKED_LIBRARIES)
add_subdirectory("${directory(android.cmakeListsPath)}" ${libraryName}_autolinked_build)
list(APPEND AUTOLINKED_LIBRARIES react_codegen_${libraryName})
add_subdirectory("${directory(android.cxxModuleCMakeListsPath)}" ${libraryName}_cxxmodule_autolinked_build)
list(APPEND AUTOLINKED_LIBRARIES ${android.cxxModuleCMakeListsModuleName})
`,
);
const functions = [
  'std::shared_ptr<TurboModule> autolinking_ModuleProvider(const std::string moduleName, const JavaTurboModule::InitParams &params)',
  'std::shared_ptr<TurboModule> autolinking_cxxModuleProvider(const std::string moduleName, const std::shared_ptr<CallInvoker>& jsInvoker)',
  'void autolinking_registerProviders(std::shared_ptr<ComponentDescriptorProviderRegistry const> providerRegistry)',
];
writeFileSync(
  `${folder}/autolinking.h`,
  `#pragma once
#include <ReactCommon/CallInvoker.h>
#include <ReactCommon/JavaTurboModule.h>
#include <ReactCommon/TurboModule.h>
#include <jsi/jsi.h>
#include <react/renderer/componentregistry/ComponentDescriptorProviderRegistry.h>
namespace facebook { namespace react {
${functions.join(';\n')};
} }
`,
);
writeFileSync(
  `${folder}/autolinking.cpp`,
  `#include "autolinking.h"
#include <${libraryName}.h>
#include <${cxxModuleHeaderName}.h>
namespace facebook { namespace react {
${functions[0]} {
  auto module = ${libraryName}_ModuleProvider(moduleName, params);
  if (module != nullptr) return module;
  return nullptr;
}
${functions[1]} {
  if (moduleName == ${cxxModuleHeaderName}::kModuleName) return std::make_shared<${cxxModuleHeaderName}>(jsInvoker);
  return nullptr;
}
${functions[2]} {}
} }
`,
);
