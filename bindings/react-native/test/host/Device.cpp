#include "Device.h"

#include <utility>

using namespace facebook;

namespace {

using Arguments = const jsi::Value *;

class PlatformConstants final : public react::TurboModule {
public:
  PlatformConstants(std::string idiom, std::shared_ptr<react::CallInvoker> invoker)
      : TurboModule("PlatformConstants", std::move(invoker)), idiom_(std::move(idiom)) {
    methodMap_["getConstants"] = {0, constants};
  }

private:
  // Those of both platforms.
  static jsi::Value constants(jsi::Runtime &rt, TurboModule &module, Arguments, size_t) {
    jsi::Object made(rt);
    made.setProperty(rt, "interfaceIdiom", static_cast<PlatformConstants &>(module).idiom_);
    made.setProperty(rt, "Brand", "Fairphone");
    made.setProperty(rt, "Model", "FP5");
    return made;
  }

  std::string idiom_;
};

// Its events come from JavaScript: a test emits them.
class AppState final : public react::TurboModule {
public:
  explicit AppState(std::shared_ptr<react::CallInvoker> invoker)
      : TurboModule("AppState", std::move(invoker)) {
    methodMap_["getConstants"] = {0, constants};
    methodMap_["getCurrentAppState"] = {2, current};
    methodMap_["addListener"] = {1, nothing};
    methodMap_["removeListeners"] = {1, nothing};
  }

private:
  static jsi::Value constants(jsi::Runtime &rt, TurboModule &, Arguments, size_t) {
    jsi::Object made(rt);
    made.setProperty(rt, "initialAppState", "active");
    return made;
  }
  static jsi::Value current(jsi::Runtime &rt, TurboModule &, Arguments args, size_t) {
    jsi::Object state(rt);
    state.setProperty(rt, "app_state", "active");
    args[0].asObject(rt).asFunction(rt).call(rt, state);
    return jsi::Value();
  }
  static jsi::Value nothing(jsi::Runtime &, TurboModule &, Arguments, size_t) {
    return jsi::Value();
  }
};

} // namespace

std::shared_ptr<react::TurboModule> makeDeviceModule(const std::string &name,
                                                     const std::string &idiom,
                                                     std::shared_ptr<react::CallInvoker> invoker) {
  if (name == "PlatformConstants")
    return std::make_shared<PlatformConstants>(idiom, std::move(invoker));
  if (name == "AppState") return std::make_shared<AppState>(std::move(invoker));
  return nullptr;
}
