// Registers NativeTim before main. CocoaPods links apps with -ObjC, so that this is not left out.
#import <Foundation/Foundation.h>
#import <ReactCommon/CxxTurboModuleUtils.h>

#import "NativeTim.h"

@interface TimOnLoad : NSObject
@end

@implementation TimOnLoad

+ (void)load {
  facebook::react::registerCxxModuleToGlobalModuleMap(
      std::string(facebook::react::NativeTim::kModuleName),
      [](std::shared_ptr<facebook::react::CallInvoker> jsInvoker) {
        return std::make_shared<facebook::react::NativeTim>(jsInvoker);
      });
}

@end
