// host BUNDLE [phone|pad] runs a bundle in an app, whose one thread is JavaScript's. A line of the input is handed to the global
// onLine, which the bundle defines; the global print writes a line. It ends with the input, and with 1 after an exception that
// nobody caught.
#include <ReactCommon/CxxTurboModuleUtils.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "App.h"
#include "NativeTim.h"

using namespace facebook;

static std::string contents(const char *path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error(std::string("cannot read ") + path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

static void print(const std::string &line) {
  std::fwrite((line + "\n").data(), 1, line.size() + 1, stdout);
  std::fflush(stdout);
}

static void readInput(RunLoop &loop) {
  for (std::string line; std::getline(std::cin, line);)
    loop.invokeAsync([line](jsi::Runtime &rt) {
      rt.global().getPropertyAsFunction(rt, "onLine").call(rt, line);
    });
  loop.invokeAsync([&loop](jsi::Runtime &) { loop.stop(); }); // when every line was handed on
}

static void run(App &app, const char *bundle) {
  app.define("print", 1, [](jsi::Runtime &rt, const jsi::Value &, const jsi::Value *args, size_t) {
    print(args[0].asString(rt).utf8(rt));
    return jsi::Value();
  });
  app.evaluate(contents(bundle), bundle);
  std::thread input(readInput, std::ref(app.loop()));
  try {
    app.loop().run();
  } catch (...) {
    input.detach(); // it waits for a line
    throw;
  }
  input.join();
}

int main(int argc, char **argv) {
  if (argc < 2) {
    std::fputs("usage: host BUNDLE [phone|pad]\n", stderr);
    return 2;
  }
  react::registerCxxModuleToGlobalModuleMap(
      std::string(react::NativeTim::kModuleName),
      [](auto invoker) { return std::make_shared<react::NativeTim>(std::move(invoker)); });
  try {
    App app(argc > 2 ? argv[2] : "phone");
    run(app, argv[1]);
    return 0;
  } catch (const jsi::JSError &error) {
    std::fprintf(stderr, "uncaught: %s\n%s\n", error.getMessage().c_str(),
                 error.getStack().c_str());
  } catch (const std::exception &error) {
    std::fprintf(stderr, "host: %s\n", error.what());
  }
  std::fflush(stderr);
  _exit(1); // the thread that reads the input cannot be ended
}
