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

void RunLoop::run(size_t tasks) {
  for (; tasks > 0; tasks--) {
    Task task = next();
    if (!task) return;
    task(rt_);
    rt_.drainMicrotasks();
  }
}

RunLoop::Task RunLoop::next() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (!stopped_) {
    if (!timers_.empty() && timers_.begin()->first.first <= Clock::now())
      return std::move(timers_.extract(timers_.begin()).mapped());
    if (!tasks_.empty()) {
      Task task = std::move(tasks_.front());
      tasks_.pop_front();
      return task;
    }
    if (timers_.empty())
      changed_.wait(lock);
    else
      changed_.wait_until(lock, timers_.begin()->first.first);
  }
  return {};
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
