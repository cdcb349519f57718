#include "TimItems.h"

namespace facebook::react {

namespace {

// An item of bindings/js/src/engine.ts in the making. Numbers up to 2^53 are exact: requests, and milliseconds.
class Object {
public:
  Object(jsi::Runtime &rt, const char *type) : rt_(rt), made_(rt) { put("type", type); }

  Object &put(const char *name, const char *text) {
    return set(name, jsi::String::createFromUtf8(rt_, text));
  }
  Object &put(const char *name, const std::string &text) {
    return set(name, jsi::String::createFromUtf8(rt_, text));
  }
  Object &put(const char *name, bool flag) { return set(name, flag); }
  Object &put(const char *name, double number) { return set(name, number); }
  Object &put(const char *name, int32_t number) { return set(name, number); }
  Object &put(const char *name, int64_t number) { return set(name, static_cast<double>(number)); }

  jsi::Object done() { return std::move(made_); }

private:
  template <typename T> Object &set(const char *name, T &&value) {
    made_.setProperty(rt_, name, std::forward<T>(value));
    return *this;
  }

  jsi::Runtime &rt_;
  jsi::Object made_;
};

struct ToObject {
  jsi::Runtime &rt;

  jsi::Object operator()(const tim::Event &event) {
    return Object(rt, "event")
        .put("kind", event.kind)
        .put("loginStatus", event.login_status)
        .put("ready", event.ready)
        .put("resumed", event.resumed)
        .put("code", event.code)
        .put("kickReason", event.kick_reason)
        .put("byPlatform", event.by_platform)
        .put("atMs", event.at_ms)
        .put("byLabel", event.by_label)
        .put("text", event.text)
        .done();
  }

  jsi::Object operator()(const TimAnswer &answer) {
    return Object(rt, "result")
        .put("request", answer.request)
        .put("code", answer.result.code)
        .put("repeatLogin", answer.result.repeat_login)
        .put("ticketExpiresMs", answer.result.ticket_expires_ms)
        .put("session", answer.result.session)
        .put("text", answer.result.text)
        .done();
  }

  jsi::Object operator()(const TimQuestion &question) {
    return Object(rt, "ticket")
        .put("request", static_cast<double>(question.request))
        .put("userID", question.userID)
        .done();
  }

  jsi::Object operator()(const TimLogLine &line) {
    return Object(rt, "log").put("level", line.level).put("line", line.line).done();
  }
};

} // namespace

bool timIsClosed(const TimItem &item) {
  const auto *event = std::get_if<tim::Event>(&item);
  return event != nullptr && event->kind == TIM_EVENT_CLOSED;
}

jsi::Object Bridging<TimItem>::toJs(jsi::Runtime &rt, const TimItem &item) {
  return std::visit(ToObject{rt}, item);
}

} // namespace facebook::react
