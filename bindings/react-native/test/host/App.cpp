#include "App.h"

#include <ReactCommon/CxxTurboModuleUtils.h>
#include <ReactCommon/TurboModuleBinding.h>
#include <jsc/JSCRuntime.h>
#include <react/bridging/LongLivedObject.h>

#include <chrono>
#include <cstdio>

#include "Device.h"
#include "NativeTim.h"

using namespace facebook;

App::App(const std::string &idiom)
    : runtime_(jsc::makeJSCRuntime()), loop_(std::make_shared<RunLoop>(*runtime_)) {
  installModules(idiom);
  installGlobals();
}

App::~App() {
  loop_->clear();
  modules_.clear();
  react::LongLivedObjectCollection::get(*runtime_).clear();
}

void App::installModules(const std::string &idiom) {
  runtime().global().setProperty(runtime(), "RN$Bridgeless", true);
  auto make = [this, idiom](const std::string &name) -> std::shared_ptr<react::TurboModule> {
    if (auto device = makeDeviceModule(name, idiom, loop_)) return device;
    auto &registered = react::globalExportedCxxTurboModuleMap();
    auto found = registered.find(name);
    return found == registered.end() ? nullptr : found->second(loop_);
  };
  react::TurboModuleBinding::install(runtime(), [this, make](
#if RN_MINOR >= 84
                                                    jsi::Runtime &,
#endif
                                                    const std::string &name) {
    auto &module = modules_[name];
    if (module == nullptr) module = make(name);
    return module;
  });
}

void App::define(const char *name, unsigned arguments, jsi::HostFunctionType function) {
  auto id = jsi::PropNameID::forAscii(runtime(), name);
  runtime().global().setProperty(
      runtime(), id,
      jsi::Function::createFromHostFunction(runtime(), id, arguments, std::move(function)));
}

void App::installGlobals() {
  define("setTimeout", 2,
         [this](jsi::Runtime &rt, const jsi::Value &, const jsi::Value *args, size_t count) {
           auto task = std::make_shared<jsi::Function>(args[0].asObject(rt).asFunction(rt));
           return loop_->after(count > 1 ? args[1].asNumber() : 0,
                               [task](jsi::Runtime &rt) { task->call(rt); });
         });
  define("clearTimeout", 1,
         [this](jsi::Runtime &, const jsi::Value &, const jsi::Value *args, size_t count) {
           if (count > 0 && args[0].isNumber()) loop_->cancel(args[0].asNumber());
           return jsi::Value();
         });
  define("nativeLoggingHook", 2,
         [](jsi::Runtime &rt, const jsi::Value &, const jsi::Value *args, size_t) {
           std::fprintf(stderr, "%s\n", args[0].asString(rt).utf8(rt).c_str());
           return jsi::Value();
         });
  define("nativePerformanceNow", 0,
         [](jsi::Runtime &, const jsi::Value &, const jsi::Value *, size_t) {
           return std::chrono::duration<double, std::milli>(
                      RunLoop::Clock::now().time_since_epoch())
               .count();
         });
}

void App::evaluate(const std::string &script, const std::string &name) {
  runtime().evaluateJavaScript(std::make_shared<jsi::StringBuffer>(script), name);
  runtime().drainMicrotasks();
}
