#include "RunLoop.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

using namespace facebook;

void RunLoop::invokeAsync(Task &&task) noexcept {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    tasks_.push_back(std::move(task));
  }
  changed_.notify_one();
}

void RunLoop::invokeSync(Task &&) { std::abort(); }

double RunLoop::after(double ms, Task task) {
  auto delay = std::chrono::microseconds(std::llround(std::max(ms, 0.0) * 1000));
  std::lock_guard<std::mutex> lock(mutex_);
  timers_.emplace(std::pair(Clock::now() + delay, ++made_), std::move(task));
  return static_cast<double>(made_);
}

void RunLoop::cancel(double timer) {
  Task canceled; // is destroyed without the lock
  std::lock_guard<std::mutex> lock(mutex_);
  auto found = std::find_if(timers_.begin(), timers_.end(), [&](auto &entry) {
    return static_cast<double>(entry.first.second) == timer;
  });
  if (found == timers_.end()) return;
  canceled = std::move(found->second);
  timers_.erase(found);
}

void RunLoop::run() { runUntil(Clock::time_point::max()); }

void RunLoop::runFor(std::chrono::milliseconds time) { runUntil(Clock::now() + time); }

void RunLoop::runUntil(Clock::time_point end) {
  while (Task task = next(end)) {
    task(rt_);
    rt_.drainMicrotasks();
  }
}

RunLoop::Task RunLoop::next(Clock::time_point end) {
  std::unique_lock<std::mutex> lock(mutex_);
  for (;;) {
    auto now = Clock::now();
    if (stopped_ || now >= end) return {};
    if (!timers_.empty() && timers_.begin()->first.first <= now)
      return std::move(timers_.extract(timers_.begin()).mapped());
    if (!tasks_.empty()) {
      Task task = std::move(tasks_.front());
      tasks_.pop_front();
      return task;
    }
    auto until = timers_.empty() ? end : std::min(end, timers_.begin()->first.first);
    if (until == Clock::time_point::max())
      changed_.wait(lock);
    else
      changed_.wait_until(lock, until);
  }
}

void RunLoop::stop() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stopped_ = true;
  }
  changed_.notify_one();
}

void RunLoop::clear() {
  std::lock_guard<std::mutex> lock(mutex_);
  tasks_.clear();
  timers_.clear();
}
