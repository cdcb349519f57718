#pragma once

#include <ReactCommon/CallInvoker.h>
#include <jsi/jsi.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <utility>

// JavaScript's thread of an app: the thread that runs it. Each task is a turn, after which promise jobs have run.
class RunLoop final : public facebook::react::CallInvoker {
public:
  using Task = facebook::react::CallFunc;
  using Clock = std::chrono::steady_clock;

  explicit RunLoop(facebook::jsi::Runtime &rt) : rt_(rt) {}

  void invokeAsync(Task &&task) noexcept override; // from any thread
  void invokeSync(Task &&task) override;           // nobody may

  // setTimeout and clearTimeout. Numbers start at 1.
  double after(double ms, Task task);
  void cancel(double timer);

  // Runs tasks until stop, or so many. Exceptions of tasks come out.
  void run(size_t tasks = SIZE_MAX);
  void stop(); // from any thread

  // Drops all tasks and timers. They may hold JavaScript's values: to be called while there is a runtime.
  void clear();

private:
  Task next(); // empty: it is over

  facebook::jsi::Runtime &rt_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Task> tasks_;
  std::map<std::pair<Clock::time_point, uint64_t>, Task> timers_;
  uint64_t made_{0};
  bool stopped_{false};
};
