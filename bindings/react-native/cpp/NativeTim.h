// include/tim.h for React Native, as src/NativeTim.ts describes it: converts, hops threads, and decides nothing.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "TimItems.h"
#include "TimSpecJSI.h" // made by codegen; in quotes, as Xcode finds it with frameworks, too

namespace facebook::react {

using TimConfig =
    NativeTimConfig<double, double, std::string, std::string, std::string, std::string, std::string,
                    std::string, double, double, bool, bool, double, bool>;
template <> struct Bridging<TimConfig> : NativeTimConfigBridging<TimConfig> {};

class TimMailbox;

// One for each JavaScript runtime; it goes with it, and its clients with it, and nothing of them is told any more. Its methods
// run on JavaScript's thread, its destructor on any. libtim's threads only fill mailboxes and ask for a turn on JavaScript's
// thread: they never hold this object, nor anything of JavaScript's.
class NativeTim : public NativeTimCxxSpec<NativeTim>,
                  public std::enable_shared_from_this<NativeTim> {
public:
  explicit NativeTim(std::shared_ptr<CallInvoker> jsInvoker);
  ~NativeTim() override;

  std::string version(jsi::Runtime &rt);
  std::string dataDir(jsi::Runtime &rt);

  double open(jsi::Runtime &rt, TimConfig config);
  double login(jsi::Runtime &rt, double client, double request, std::string userID,
               std::string ticket);
  double logout(jsi::Runtime &rt, double client, double request);
  double renew(jsi::Runtime &rt, double client, double request, std::string ticket);
  double provideTicket(jsi::Runtime &rt, double client, double request, std::string ticket);
  double wake(jsi::Runtime &rt, double client);
  double setBackground(jsi::Runtime &rt, double client, bool background);
  double close(jsi::Runtime &rt, double client);

  double status(jsi::Runtime &rt, double client);
  bool ready(jsi::Runtime &rt, double client);
  std::string user(jsi::Runtime &rt, double client);
  double serverTimeMs(jsi::Runtime &rt, double client);

  std::vector<TimItem> take(jsi::Runtime &rt, double client);

private:
  // A client until its last item was taken.
  struct Open {
    tim::Client client;
    std::shared_ptr<TimMailbox> mailbox;

    void close();
  };

  std::shared_ptr<TimMailbox> makeMailbox(double number);
  Open *find(double client);

  std::unordered_map<double, Open> open_;
  double last_{0};
};

} // namespace facebook::react
