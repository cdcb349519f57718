// What happens to a client, as plain data that any thread may hold, and as the objects that JavaScript gets.
#pragma once

#include <ReactCommon/TurboModule.h>
#include <react/bridging/Bridging.h>

#include <cstdint>
#include <memory>
#include <string>
#include <variant>

#include "tim.hpp"

namespace facebook::react {

// The answer to a call of JavaScript's.
struct TimAnswer {
  double request;
  tim::Result result;
};

// The engine's question for a ticket.
struct TimQuestion {
  uint64_t request;
  std::string userID;
};

// A line of the engine's log.
struct TimLogLine {
  int32_t level;
  std::string line;
};

using TimItem = std::variant<tim::Event, TimAnswer, TimQuestion, TimLogLine>;

// Whether item is the last one of its client.
bool timIsClosed(const TimItem &item);

template <> struct Bridging<TimItem> {
  static jsi::Object toJs(jsi::Runtime &rt, const TimItem &item);
};

} // namespace facebook::react
