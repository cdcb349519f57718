// tim.h in C++, for ThreadSanitizer, which cannot see into Go: the threads, the order and the ends that tim.h promises, and no
// network. Each login succeeds, after events and log lines and a question for a ticket.
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "tim.h"

namespace {

// A client and its thread, which ends with it.
class Client {
public:
  Client(tim_client number, const tim_config &config)
      : number_(number), config_(config), thread_([this] { deliver(); }) {}

  // All that is under way is still told.
  ~Client() {
    post([this] { event(TIM_EVENT_CLOSED); });
    {
      std::lock_guard<std::mutex> lock(mutex_);
      over_ = true;
    }
    changed_.notify_one();
    thread_.join();
    if (config_.on_destroy) config_.on_destroy(config_.user_data);
  }

  void hear(tim_event_fn fn, void *data) {
    std::lock_guard<std::mutex> lock(mutex_);
    on_event_ = fn;
    data_ = data;
  }

  void post(std::function<void()> task) {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      tasks_.push_back(std::move(task));
    }
    changed_.notify_one();
  }

  void login(std::string user, tim_done_fn done, void *data) {
    post([=, this] {
      event(TIM_EVENT_CONNECTING);
      if (config_.on_log)
        config_.on_log(number_, TIM_LOG_DEBUG, ("login of " + user).c_str(), config_.user_data);
      if (config_.ticket_provider)
        config_.ticket_provider(number_, 1, user.c_str(), config_.user_data);
      {
        std::lock_guard<std::mutex> lock(mutex_);
        user_ = user;
      }
      event(TIM_EVENT_CONNECTED);
      answer(done, data);
    });
  }

  void answer(tim_done_fn done, void *data) {
    tim_result result = {};
    result.struct_size = sizeof result;
    result.session = "session";
    result.text = "";
    if (done) done(number_, &result, data);
  }

  std::string user() {
    std::lock_guard<std::mutex> lock(mutex_);
    return user_;
  }

private:
  void event(int32_t kind) {
    tim_event_fn fn;
    void *data;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      fn = on_event_;
      data = data_;
    }
    tim_event told = {};
    told.struct_size = sizeof told;
    told.kind = kind;
    told.by_label = told.text = "";
    if (fn) fn(number_, &told, data);
  }

  void deliver() {
    for (;;) {
      std::function<void()> task;
      {
        std::unique_lock<std::mutex> lock(mutex_);
        changed_.wait(lock, [this] { return over_ || !tasks_.empty(); });
        if (tasks_.empty()) return;
        task = std::move(tasks_.front());
        tasks_.pop_front();
      }
      task();
    }
  }

  const tim_client number_;
  const tim_config config_; // of its pointers only those of functions and user_data are valid
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> tasks_;
  std::string user_;
  tim_event_fn on_event_{nullptr};
  void *data_{nullptr};
  bool over_{false};
  std::thread thread_; // the last: it uses the others
};

std::mutex mutex;
std::map<tim_client, std::shared_ptr<Client>> clients;
tim_client made;

std::shared_ptr<Client> find(tim_client number) {
  std::lock_guard<std::mutex> lock(mutex);
  auto found = clients.find(number);
  return found == clients.end() ? nullptr : found->second;
}

tim_code with(tim_client number, const std::function<void(Client &)> &run) {
  auto client = find(number);
  if (!client) return TIM_NOT_INITIALIZED;
  run(*client);
  return TIM_OK;
}

} // namespace

extern "C" {

tim_code tim_client_new_abi(const tim_config *config, tim_client *client, uint32_t) {
  std::lock_guard<std::mutex> lock(mutex);
  *client = ++made;
  clients.emplace(made, std::make_shared<Client>(made, *config));
  return TIM_OK;
}

tim_code tim_client_free(tim_client number) {
  std::shared_ptr<Client> ended;
  {
    std::lock_guard<std::mutex> lock(mutex);
    auto found = clients.find(number);
    if (found == clients.end()) return TIM_NOT_INITIALIZED;
    ended = std::move(found->second);
    clients.erase(found);
  }
  return TIM_OK;
}

tim_code tim_set_event_callback(tim_client number, tim_event_fn fn, void *data) {
  return with(number, [&](Client &client) { client.hear(fn, data); });
}

tim_code tim_login(tim_client number, const char *user, const char *, tim_done_fn done,
                   void *data) {
  return with(number, [&](Client &client) { client.login(user, done, data); });
}

tim_code tim_logout(tim_client number, tim_done_fn done, void *data) {
  return with(number,
              [&](Client &client) { client.post([=, &client] { client.answer(done, data); }); });
}

tim_code tim_renew(tim_client number, const char *, tim_done_fn done, void *data) {
  return tim_logout(number, done, data);
}

tim_code tim_provide_ticket(tim_client number, uint64_t, const char *) {
  return with(number, [](Client &) {});
}
tim_code tim_wake(tim_client number) {
  return with(number, [](Client &) {});
}
tim_code tim_set_background(tim_client number, int32_t) {
  return with(number, [](Client &) {});
}

int32_t tim_get_login_status(tim_client number) {
  if (!find(number)) return TIM_NOT_INITIALIZED;
  return TIM_LOGGED_IN;
}
int32_t tim_is_ready(tim_client number) { return find(number) != nullptr; }

tim_code tim_get_login_user(tim_client number, char *buffer, size_t *size) {
  return with(number, [&](Client &client) {
    *size = client.user().copy(buffer, *size - 1) + 1, buffer[*size - 1] = 0;
  });
}

tim_code tim_get_server_time(tim_client number, int64_t *ms) {
  *ms = 0;
  return find(number) ? TIM_OK : TIM_NOT_INITIALIZED;
}

const char *tim_version(void) { return "fake"; }
}
