#include "TimMailbox.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace facebook::react {

void TimMailbox::put(TimItem item) {
  bool first = false;
  {
    std::unique_lock<std::mutex> lock(mutex_);
    room_.wait(lock, [this] { return items_.size() < kBound || closed_; });
    items_.push_back(std::move(item));
    first = !std::exchange(woken_, true);
  }
  if (first) wakeup_();
}

std::vector<TimItem> TimMailbox::take() {
  std::vector<TimItem> taken;
  bool more = false;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    auto end = items_.begin() + static_cast<std::ptrdiff_t>(std::min(items_.size(), kBound));
    taken.assign(std::make_move_iterator(items_.begin()), std::make_move_iterator(end));
    items_.erase(items_.begin(), end);
    more = woken_ = !items_.empty();
  }
  room_.notify_all();
  if (more) wakeup_();
  return taken;
}

void TimMailbox::close() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    closed_ = true;
  }
  room_.notify_all();
}

} // namespace facebook::react
