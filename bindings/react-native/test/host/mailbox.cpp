// What a mailbox promises: order, a bound, and no more calls for a turn than are needed.
#include "TimMailbox.h"

#include <atomic>
#include <chrono>
#include <cstdio>
#include <thread>

using namespace facebook::react;

static int failed;

static void equal(size_t got, size_t want, const char *what) {
  if (got == want) return;
  std::printf("%s: got %zu, want %zu\n", what, got, want);
  failed = 1;
}

// A mailbox, and how often it asked for a turn.
struct Watched {
  std::atomic<size_t> asked{0};
  TimMailbox mailbox{[this] { asked++; }};
  size_t sent = 0, received = 0;

  void put(size_t count) {
    for (size_t end = sent + count; sent < end; sent++)
      mailbox.put(TimLogLine{static_cast<int32_t>(sent), ""});
  }
  size_t take() {
    auto items = mailbox.take();
    for (auto &item : items)
      equal(std::get<TimLogLine>(item).level, received++, "an item is where it belongs");
    return items.size();
  }
};

static void asksOnce() {
  Watched w;
  w.put(3);
  equal(w.asked, 1, "turns asked for by three items");
  equal(w.take(), 3, "items");
  equal(w.take(), 0, "items after that");
  equal(w.asked, 1, "turns asked for by taking all");
  w.put(1);
  equal(w.asked, 2, "turns asked for by the next item");
}

// The pause can only hide a mistake, never make one.
static void waitsForRoom() {
  Watched w;
  std::atomic<bool> done{false};
  std::thread libtim([&] {
    w.put(1001);
    done = true;
  });
  while (w.asked == 0) std::this_thread::yield();
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  equal(done, false, "a full mailbox takes another item");
  while (w.received < 1001) w.take();
  libtim.join();
}

// At the end, JavaScript's thread waits for libtim's, so that this one must not wait.
static void neverWaitsOnceClosed() {
  Watched w;
  std::thread libtim([&] { w.put(2500); });
  w.mailbox.close();
  libtim.join();
  size_t asked = w.asked;
  for (size_t want : {1000, 1000, 500}) equal(w.take(), want, "items in a turn");
  equal(w.asked - asked, 2, "turns asked for by what was left");
}

int main() {
  asksOnce();
  waitsForRoom();
  neverWaitsOnceClosed();
  return failed;
}
