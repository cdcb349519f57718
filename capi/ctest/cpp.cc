// Tells a few stories through bindings/cpp/tim.hpp: cpp URL
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "check.h"
#include "tim.hpp"

namespace {

const char *url;

// Counts what it hears; each wait is for a number.
struct Counter {
  std::mutex mutex;
  std::condition_variable changed;
  int count = 0;

  void add() {
    std::lock_guard<std::mutex> lock(mutex);
    count++;
    changed.notify_all();
  }
  void wait_for(int wanted) {
    std::unique_lock<std::mutex> lock(mutex);
    CHECK(changed.wait_for(lock, std::chrono::minutes(1), [&] { return count >= wanted; }));
  }
};

tim_config config() {
  tim_config c = TIM_CONFIG_INIT;
  c.url = url;
  c.sdk_app_id = 1400000001;
  c.platform = TIM_PLATFORM_ANDROID;
  return c;
}

void events_outlive_their_callback() {
  std::vector<tim::Event> kept;
  Counter answers, kicks;
  tim::Client client;
  tim::Listener listener;
  listener.on_event = [&](tim::Event event) {
    kept.push_back(std::move(event));
    if (kept.back().kind == TIM_EVENT_KICKED_OFFLINE) kicks.add();
  };
  CHECK_OK(client.open(config(), std::move(listener)));
  CHECK_OK(client.login("alice", "ok after=50 kick=2,3,Pixel", [&](tim::Result result) {
    CHECK_OK(result.code);
    CHECK(client.login_user() == "alice" && client.is_ready() && client.server_time_ms() > 0);
    answers.add();
  }));
  answers.wait_for(1);
  kicks.wait_for(1);
  client.free();
  CHECK(!client && client.login_status() == TIM_NOT_INITIALIZED);
  bool found = false;
  for (const tim::Event &event : kept) found = found || event.by_label == "Pixel";
  CHECK(found);
}

void what_is_captured_is_released() {
  auto captured = std::make_shared<int>(1);
  {
    tim::Client client;
    tim::Listener listener;
    listener.on_event = [captured](tim::Event) {};
    listener.on_log = [captured](int32_t, std::string) {};
    CHECK_OK(client.open(config(), std::move(listener)));
    CHECK_OK(client.login("alice", "silent", [captured](tim::Result result) {
      CHECK_CODE(result.code, TIM_INTERRUPTED);
    }));
    CHECK_CODE(client.login("", "ok", [captured](tim::Result) { abort(); }),
               TIM_INVALID_PARAMETERS);
    CHECK_CODE(client.login(std::string("a\0b", 3), "ok", nullptr), TIM_INVALID_PARAMETERS);
    CHECK(captured.use_count() == 4);
  }
  CHECK(captured.use_count() == 1);
}

void a_client_moves() {
  tim::Client first, second;
  CHECK_OK(first.open(config(), tim::Listener()));
  tim_client handle = first.handle();
  second = std::move(first);
  CHECK(!first && second.handle() == handle);
  CHECK_CODE(second.login_status(), TIM_LOGGED_OUT);
  CHECK_OK(second.wake());
  CHECK_OK(second.set_background(true));
  tim::Client third(std::move(second));
  CHECK(!second && third.handle() == handle);
}

void a_client_ends_inside_its_callback() {
  Counter answers;
  auto client = std::make_unique<tim::Client>();
  CHECK_OK(client->open(config(), tim::Listener()));
  CHECK_OK(client->login("alice", "ok", [&](tim::Result) {
    client.reset();
    answers.add();
  }));
  answers.wait_for(1);
}

void a_ticket_is_provided() {
  Counter wanted, answers;
  tim::Client client;
  tim::Listener listener;
  listener.on_ticket_wanted = [&](uint64_t request, std::string user_id) {
    CHECK(user_id == "alice");
    CHECK_OK(client.provide_ticket(request, "ok"));
    wanted.add();
  };
  CHECK_OK(client.open(config(), std::move(listener)));
  CHECK_OK(client.login("alice", "expires=1000", nullptr));
  wanted.wait_for(1);
  CHECK_OK(client.renew("ok", [&](tim::Result result) {
    CHECK_OK(result.code);
    answers.add();
  }));
  answers.wait_for(1);
  CHECK_OK(client.logout([&](tim::Result result) {
    CHECK_OK(result.code);
    answers.add();
  }));
  answers.wait_for(2);
}

} // namespace

int main(int argc, char **argv) {
  CHECK(argc == 2);
  url = argv[1];
  events_outlive_their_callback();
  what_is_captured_is_released();
  a_client_moves();
  a_client_ends_inside_its_callback();
  a_ticket_is_provided();
  std::puts("tim.hpp: 5 stories are true");
  return 0;
}
