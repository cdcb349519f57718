#include "NativeTim.h"

#include <cmath>
#include <limits>
#include <utility>

#include "TimFolder.h"
#include "TimMailbox.h"

namespace facebook::react {

namespace {

// What is no such number is one that tim refuses.
int32_t toInt(double value) {
  bool fits =
      value >= 0 && value <= std::numeric_limits<int32_t>::max() && value == std::floor(value);
  return fits ? static_cast<int32_t>(value) : -1;
}

uint64_t toWhole(double value) {
  constexpr double most = 9007199254740991; // 2^53 - 1
  bool fits = value >= 0 && value <= most && value == std::floor(value);
  return fits ? static_cast<uint64_t>(value) : 0;
}

const char *orNull(const std::string &text) { return text.empty() ? nullptr : text.c_str(); }

// It is valid for as long as given is.
tim_config toTim(const TimConfig &given) {
  tim_config config = TIM_CONFIG_INIT;
  config.platform = toInt(given.platform);
  config.sdk_app_id = toWhole(given.sdkAppID);
  config.url = orNull(given.url);
  config.data_dir = orNull(given.dataDir);
  config.instance = orNull(given.instance);
  config.label = orNull(given.label);
  config.sdk = orNull(given.sdk);
  config.ca_pem = orNull(given.caPem);
  config.login_timeout_ms = toInt(given.loginTimeoutMs);
  config.logout_timeout_ms = toInt(given.logoutTimeoutMs);
  config.allow_insecure = given.allowInsecure;
  config.background = given.background;
  config.log_level = toInt(given.logLevel);
  return config;
}

// What libtim's thread does with all that it tells.
tim::Listener listener(const std::shared_ptr<TimMailbox> &mailbox, bool ticketProvider) {
  tim::Listener into;
  into.on_event = [mailbox](tim::Event event) { mailbox->put(std::move(event)); };
  into.on_log = [mailbox](int32_t level, std::string line) {
    mailbox->put(TimLogLine{level, std::move(line)});
  };
  if (ticketProvider)
    into.on_ticket_wanted = [mailbox](uint64_t request, std::string user) {
      mailbox->put(TimQuestion{request, std::move(user)});
    };
  return into;
}

tim::Done answer(const std::shared_ptr<TimMailbox> &mailbox, double request) {
  return [mailbox, request](tim::Result result) {
    mailbox->put(TimAnswer{request, std::move(result)});
  };
}

} // namespace

NativeTim::NativeTim(std::shared_ptr<CallInvoker> jsInvoker)
    : NativeTimCxxSpec<NativeTim>(std::move(jsInvoker)) {}

NativeTim::~NativeTim() {
  for (auto &[number, open] : open_) open.close();
}

// Nothing that libtim's thread does waits for JavaScript's, once the mailbox is closed, so that this may wait for libtim's.
void NativeTim::Open::close() {
  mailbox->close();
  client.free();
}

std::string NativeTim::version(jsi::Runtime &) { return tim_version(); }

std::string NativeTim::dataDir(jsi::Runtime &) { return timFolder(); }

// The turn that it asks for may never come, or come when this object is gone: it holds neither this nor JavaScript.
std::shared_ptr<TimMailbox> NativeTim::makeMailbox(double number) {
  std::weak_ptr<CallInvoker> invoker = jsInvoker_;
  std::weak_ptr<NativeTim> module = weak_from_this();
  return std::make_shared<TimMailbox>([invoker, module, number] {
    if (auto js = invoker.lock()) {
      js->invokeAsync([module, number](jsi::Runtime &) {
        if (auto self = module.lock()) self->emitOnItems(number);
      });
    }
  });
}

double NativeTim::open(jsi::Runtime &, TimConfig config) {
  double number = last_ + 1;
  Open open{{}, makeMailbox(number)};
  for (const std::string *text :
       {&config.url, &config.dataDir, &config.instance, &config.label, &config.sdk, &config.caPem})
    if (text->find('\0') != std::string::npos) return -TIM_INVALID_PARAMETERS;
  tim_code code = open.client.open(toTim(config), listener(open.mailbox, config.ticketProvider));
  if (code != TIM_OK) return -code;
  last_ = number;
  open_.emplace(number, std::move(open));
  return number;
}

NativeTim::Open *NativeTim::find(double client) {
  auto found = open_.find(client);
  return found == open_.end() ? nullptr : &found->second;
}

double NativeTim::login(jsi::Runtime &, double client, double request, std::string userID,
                        std::string ticket) {
  Open *open = find(client);
  return open ? open->client.login(userID, ticket, answer(open->mailbox, request))
              : TIM_NOT_INITIALIZED;
}

double NativeTim::logout(jsi::Runtime &, double client, double request) {
  Open *open = find(client);
  return open ? open->client.logout(answer(open->mailbox, request)) : TIM_NOT_INITIALIZED;
}

double NativeTim::renew(jsi::Runtime &, double client, double request, std::string ticket) {
  Open *open = find(client);
  return open ? open->client.renew(ticket, answer(open->mailbox, request)) : TIM_NOT_INITIALIZED;
}

double NativeTim::provideTicket(jsi::Runtime &, double client, double request, std::string ticket) {
  Open *open = find(client);
  return open ? open->client.provide_ticket(toWhole(request), ticket) : TIM_NOT_INITIALIZED;
}

double NativeTim::wake(jsi::Runtime &, double client) {
  Open *open = find(client);
  return open ? open->client.wake() : TIM_NOT_INITIALIZED;
}

double NativeTim::setBackground(jsi::Runtime &, double client, bool background) {
  Open *open = find(client);
  return open ? open->client.set_background(background) : TIM_NOT_INITIALIZED;
}

double NativeTim::close(jsi::Runtime &, double client) {
  Open *open = find(client);
  if (open == nullptr) return TIM_NOT_INITIALIZED;
  open->close();
  return TIM_OK;
}

double NativeTim::status(jsi::Runtime &, double client) {
  Open *open = find(client);
  int32_t status = open ? open->client.login_status() : TIM_NOT_INITIALIZED;
  return status == TIM_NOT_INITIALIZED ? TIM_LOGGED_OUT : status;
}

bool NativeTim::ready(jsi::Runtime &, double client) {
  Open *open = find(client);
  return open != nullptr && open->client.is_ready();
}

std::string NativeTim::user(jsi::Runtime &, double client) {
  Open *open = find(client);
  return open ? open->client.login_user() : "";
}

double NativeTim::serverTimeMs(jsi::Runtime &, double client) {
  Open *open = find(client);
  return open ? static_cast<double>(open->client.server_time_ms()) : 0;
}

// libtim may have closed the client by itself: it is freed in any case when it leaves.
std::vector<TimItem> NativeTim::take(jsi::Runtime &, double client) {
  Open *open = find(client);
  if (open == nullptr) return {};
  std::vector<TimItem> items = open->mailbox->take();
  if (!items.empty() && timIsClosed(items.back())) open_.erase(client);
  return items;
}

} // namespace facebook::react
