// reload SCRIPT WORLD makes an app, lets SCRIPT start calls, and ends the app in the middle of them, after none to 19 turns of
// JavaScript, as a reload does; 200 times. SCRIPT finds WORLD, which is JSON, in a global of this name, and counts its calls in asked and their answers in heard.
// Both must come, and so must answers that nobody is there for any more.
#include <ReactCommon/CxxTurboModuleUtils.h>

#include <cstdio>
#include <fstream>
#include <iterator>

#include "App.h"
#include "NativeTim.h"

using namespace facebook;

int main(int argc, char **argv) {
  if (argc != 3) {
    std::fputs("usage: reload SCRIPT WORLD\n", stderr);
    return 2;
  }
  constexpr int rounds = 200;
  std::ifstream file(argv[1]);
  std::string script(std::istreambuf_iterator<char>(file), {}), world = argv[2];
  react::registerCxxModuleToGlobalModuleMap(
      std::string(react::NativeTim::kModuleName),
      [](auto invoker) { return std::make_shared<react::NativeTim>(std::move(invoker)); });

  double heard = 0, asked = 0;
  for (int round = 0; round < rounds; round++) {
    App app;
    auto &rt = app.runtime();
    auto json = reinterpret_cast<const uint8_t *>(world.data());
    rt.global().setProperty(rt, "world", jsi::Value::createFromJsonUtf8(rt, json, world.size()));
    app.evaluate(script, argv[1]);
    app.loop().run(round % 20);
    asked += rt.global().getProperty(rt, "asked").asNumber();
    heard += rt.global().getProperty(rt, "heard").asNumber();
  }
  std::printf("%d reloads: %.0f calls were under way, %.0f were answered before\n", rounds,
              asked - heard, heard);
  return asked > heard && heard > 0 ? 0 : 1;
}
