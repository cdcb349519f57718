#pragma once

#include <ReactCommon/TurboModule.h>

#include <memory>
#include <string>

// Returns a module that React Native itself has on a phone and that our package asks, through React Native's JavaScript: the
// constants of the platform, and the state of the app. nullptr: it is none of these.
std::shared_ptr<facebook::react::TurboModule>
makeDeviceModule(const std::string &name, const std::string &idiom,
                 std::shared_ptr<facebook::react::CallInvoker> invoker);
