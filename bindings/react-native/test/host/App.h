#pragma once

#include <ReactCommon/TurboModule.h>
#include <jsi/jsi.h>

#include <map>
#include <memory>
#include <string>

#include "RunLoop.h"

// An app without a screen: React Native's JavaScriptCore, its TurboModule system with our module registered as on a phone, a
// run loop, and the few globals that a bundle finds on a phone, too. To be used by one thread, which is JavaScript's. Its end is
// what a reload does to an app.
class App {
public:
  // idiom is "phone" or "pad", for bundles that were made for iOS.
  explicit App(const std::string &idiom = "phone");
  ~App();

  facebook::jsi::Runtime &runtime() { return *runtime_; }
  RunLoop &loop() { return *loop_; }

  void evaluate(const std::string &script, const std::string &name);

  // Defines a global function.
  void define(const char *name, unsigned arguments, facebook::jsi::HostFunctionType function);

private:
  void installModules(const std::string &idiom);
  void installGlobals();

  std::unique_ptr<facebook::jsi::Runtime> runtime_;
  std::shared_ptr<RunLoop> loop_;
  std::map<std::string, std::shared_ptr<facebook::react::TurboModule>> modules_;
};
