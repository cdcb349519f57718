// The app of a test: TimOnLoad.mm is all that registers the module, before main.
#import <Foundation/Foundation.h>
#import <ReactCommon/CxxTurboModuleUtils.h>

#include <cstdio>

int main() {
  auto &modules = facebook::react::globalExportedCxxTurboModuleMap();
  auto found = modules.find("NativeTim");
  if (found == modules.end() || found->second(nullptr) == nullptr) return 1;
  std::puts("iOS: NativeTim is registered before main, and is made when it is asked for");
  return 0;
}
