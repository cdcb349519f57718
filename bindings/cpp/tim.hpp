// tim.hpp: tim.h for C++17, for bindings. A client that frees itself, and copies that outlive their callback.
//
// It adds nothing that tim.h does not say. Nothing here throws; compile it with or without exceptions. Callbacks run
// on threads of tim's, one at a time; one that throws ends the program. Functions return the codes of tim.h.
#ifndef TIM_HPP
#define TIM_HPP

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "tim.h"

namespace tim {

// What happened: a tim_event that may be kept, moved and handed to another thread.
struct Event {
  int32_t kind = 0;
  int32_t login_status = 0;
  int32_t kick_reason = 0;
  int32_t by_platform = 0;
  bool ready = false;
  bool resumed = false;
  tim_code code = TIM_OK;
  int64_t at_ms = 0;
  std::string by_label;
  std::string text;

  explicit Event(const tim_event &e)
      : kind(e.kind), login_status(e.login_status), kick_reason(e.kick_reason),
        by_platform(e.by_platform), ready(e.ready != 0), resumed(e.resumed != 0), code(e.code),
        at_ms(e.at_ms), by_label(e.by_label), text(e.text) {}
};

// The answer of a call: a tim_result that may be kept.
struct Result {
  tim_code code = TIM_OK;
  bool repeat_login = false;
  int64_t ticket_expires_ms = 0;
  std::string session;
  std::string text;

  explicit Result(const tim_result &r)
      : code(r.code), repeat_login(r.repeat_login != 0), ticket_expires_ms(r.ticket_expires_ms),
        session(r.session), text(r.text) {}
};

using Done = std::function<void(Result)>;

// Who hears a client. Each may be empty. What they capture is released when the client has ended.
struct Listener {
  std::function<void(Event)> on_event;
  std::function<void(int32_t level, std::string line)> on_log;
  std::function<void(uint64_t request, std::string user_id)> on_ticket_wanted;
};

// A client, or none. Its end frees it, which waits for a running callback; inside one of its own callbacks it does
// not wait. May be used from any thread, but not while another thread moves or ends it.
class Client {
public:
  Client() = default;
  ~Client() { free(); }
  Client(Client &&other) noexcept : handle_(std::exchange(other.handle_, 0)) {}
  Client &operator=(Client &&other) noexcept {
    if (this != &other) {
      free();
      handle_ = std::exchange(other.handle_, 0);
    }
    return *this;
  }

  // Makes a client. The callbacks and the user_data of config are the listener's; the rest is the caller's.
  tim_code open(tim_config config, Listener listener) {
    free();
    auto heard = std::make_unique<Listener>(std::move(listener));
    config.on_log = heard->on_log ? hear_log : nullptr;
    config.ticket_provider = heard->on_ticket_wanted ? hear_ticket_wanted : nullptr;
    config.on_destroy = destroy;
    config.user_data = heard.get();
    if (tim_code code = tim_client_new(&config, &handle_)) return code;
    Listener *owned = heard.release(); // destroy deletes it
    return owned->on_event ? tim_set_event_callback(handle_, hear_event, owned) : TIM_OK;
  }

  // Ends the client: see tim_client_free. Ending none is no mistake.
  void free() {
    if (handle_) tim_client_free(std::exchange(handle_, 0));
  }

  tim_client handle() const { return handle_; }
  explicit operator bool() const { return handle_ != 0; }

  tim_code login(const std::string &user_id, const std::string &ticket, Done done) {
    if (has_nul(user_id) || has_nul(ticket)) return TIM_INVALID_PARAMETERS;
    return call(std::move(done), [&](tim_done_fn fn, void *data) {
      return tim_login(handle_, user_id.c_str(), ticket.c_str(), fn, data);
    });
  }

  tim_code logout(Done done) {
    return call(std::move(done),
                [&](tim_done_fn fn, void *data) { return tim_logout(handle_, fn, data); });
  }

  tim_code renew(const std::string &ticket, Done done) {
    if (has_nul(ticket)) return TIM_INVALID_PARAMETERS;
    return call(std::move(done), [&](tim_done_fn fn, void *data) {
      return tim_renew(handle_, ticket.c_str(), fn, data);
    });
  }

  tim_code provide_ticket(uint64_t request, const std::string &ticket) {
    if (has_nul(ticket)) return TIM_INVALID_PARAMETERS;
    return tim_provide_ticket(handle_, request, ticket.c_str());
  }

  tim_code wake() { return tim_wake(handle_); }
  tim_code set_background(bool background) { return tim_set_background(handle_, background); }

  int32_t login_status() const { return tim_get_login_status(handle_); }
  bool is_ready() const { return tim_is_ready(handle_) != 0; }

  // Who is logged in, or "".
  std::string login_user() const {
    char user[TIM_USER_ID_SIZE];
    size_t size = sizeof user;
    return tim_get_login_user(handle_, user, &size) == TIM_OK ? std::string(user) : std::string();
  }

  // The server's clock in milliseconds, or 0 while it is not known.
  int64_t server_time_ms() const {
    int64_t unix_ms = 0;
    tim_get_server_time(handle_, &unix_ms);
    return unix_ms;
  }

private:
  tim_client handle_ = 0;

  static bool has_nul(const std::string &s) { return s.find('\0') != std::string::npos; }

  // Hands done to the library for as long as the call lasts.
  template <typename Start> static tim_code call(Done done, Start start) {
    if (!done) return start(nullptr, nullptr);
    auto kept = std::make_unique<Done>(std::move(done));
    tim_code code = start(hear_done, kept.get());
    if (code == TIM_OK) kept.release(); // hear_done deletes it, and may have done so by now
    return code;
  }

  static void TIM_CALL hear_done(tim_client, const tim_result *result, void *data) noexcept {
    std::unique_ptr<Done> done(static_cast<Done *>(data));
    (*done)(Result(*result));
  }
  static void TIM_CALL hear_event(tim_client, const tim_event *event, void *data) noexcept {
    static_cast<Listener *>(data)->on_event(Event(*event));
  }
  static void TIM_CALL hear_log(tim_client, int32_t level, const char *line, void *data) noexcept {
    static_cast<Listener *>(data)->on_log(level, line);
  }
  static void TIM_CALL hear_ticket_wanted(tim_client, uint64_t request, const char *user_id,
                                          void *data) noexcept {
    static_cast<Listener *>(data)->on_ticket_wanted(request, user_id);
  }
  static void TIM_CALL destroy(void *data) noexcept { delete static_cast<Listener *>(data); }
};

} // namespace tim

#endif
