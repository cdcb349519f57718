#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <vector>

#include "TimItems.h"

namespace facebook::react {

// What happened to a client and was not taken yet, in order. A thread of libtim's puts, one at a time; JavaScript's takes. It
// holds 1,000 items; when it is full libtim's thread waits, and libtim closes a client that it waits for too long.
class TimMailbox {
public:
  // wakeup says that there is something to take: once, and again after a take that left some. It is called on the thread that
  // puts or takes, must not wait for anything, and must not throw.
  explicit TimMailbox(std::function<void()> wakeup) : wakeup_(std::move(wakeup)) {}

  void put(TimItem item);

  // Returns what is there, at most 1,000 items.
  std::vector<TimItem> take();

  // From now on nobody waits for room: JavaScript's thread is about to wait for libtim's.
  void close();

private:
  static constexpr size_t kBound = 1000;

  const std::function<void()> wakeup_;
  std::mutex mutex_; // guards what follows; never held across a call out
  std::condition_variable room_;
  std::deque<TimItem> items_;
  bool woken_{false};
  bool closed_{false};
};

} // namespace facebook::react
