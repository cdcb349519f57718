// A hostile host: bytes chosen by libFuzzer become calls of the C face, with any arguments, on any handles, from several
// threads. See fuzz.sh. Whatever the calls are, every call that was taken is answered once, every client that was made is
// destroyed once, nothing of a client runs after that (AddressSanitizer sees what does), and its callbacks come one at a time.
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tim.h"

#define CHECK(what) \
  do { \
    if (!(what)) { \
      fprintf(stderr, "%d: not so: %s\n", __LINE__, #what); \
      abort(); \
    } \
  } while (0)

namespace {

constexpr int kClients = 3;

std::atomic<tim_client> clients[kClients];
std::atomic<int> made, destroyed, taken, answered;
std::string url;

// What a client's callbacks share, freed when the client says that nothing comes any more.
struct World {
  std::unique_ptr<int> canary = std::make_unique<int>(42);
  std::atomic<uint64_t> request{0};
  std::atomic<bool> busy{false}; // a callback runs
  std::vector<uint8_t> inside;   // what callbacks do
  size_t next = 0;
};

void callback(World *w, tim_client client) {
  CHECK(*w->canary == 42);
  CHECK(!w->busy.exchange(true));
  uint8_t what = w->next < w->inside.size() ? w->inside[w->next++] : 0;
  switch (what % 16) {
  case 1:
    (void)tim_client_free(client);
    break;
  case 2:
    (void)tim_login(client, "bob", "ok", nullptr, nullptr);
    break;
  case 3:
    (void)tim_logout(client, nullptr, nullptr);
    break;
  case 4:
    (void)tim_set_event_callback(client, nullptr, nullptr);
    break;
  case 5:
    (void)tim_wake(client);
    break;
  default:
    break;
  }
  w->busy = false;
}

void on_event(tim_client client, const tim_event *event, void *user_data) {
  CHECK(event->struct_size >= sizeof *event && event->text != nullptr &&
        event->by_label != nullptr);
  callback(static_cast<World *>(user_data), client);
}

void on_log(tim_client client, int32_t, const char *line, void *user_data) {
  CHECK(strstr(line, "\n") == nullptr);
  callback(static_cast<World *>(user_data), client);
}

void on_ticket(tim_client client, uint64_t request, const char *user_id, void *user_data) {
  CHECK(user_id[0] != 0);
  static_cast<World *>(user_data)->request = request;
  callback(static_cast<World *>(user_data), client);
}

void on_destroy(void *user_data) {
  destroyed++;
  delete static_cast<World *>(user_data);
}

void on_done(tim_client, const tim_result *result, void *user_data) {
  CHECK(result->text != nullptr && result->session != nullptr);
  auto *once = static_cast<int *>(user_data);
  CHECK(*once == 1);
  delete once;
  answered++;
}

// Input hands out the fuzzer's bytes; zeros when there are no more.
struct Input {
  const uint8_t *data;
  size_t left;

  uint8_t byte() { return left ? left--, *data++ : 0; }
  uint64_t number() {
    uint64_t n = 0;
    for (int i = byte() % 9; i > 0; i--) n = n << 8 | byte();
    return n;
  }
  // text is NULL, one of ours, or any bytes, and lives as long as hold.
  const char *text(std::string &hold, std::initializer_list<const char *> usual) {
    uint8_t n = byte();
    if (n < 128 && usual.size() > 0) return usual.begin()[n % usual.size()];
    if (n < 140) return nullptr;
    if (n < 150)
      hold.assign(size_t{n - 140u} * 9000, 'x');
    else
      for (n -= 150; n > 0 && left > 0; n--) hold.push_back(static_cast<char>(byte()));
    return hold.c_str();
  }
  std::vector<uint8_t> part(size_t n) {
    std::vector<uint8_t> p;
    for (; n > 0 && left > 0; n--) p.push_back(byte());
    return p;
  }
};

void make(Input &in, std::atomic<tim_client> &slot) {
  std::string texts[6];
  tim_config config = TIM_CONFIG_INIT;
  auto world = std::make_unique<World>();
  uint8_t odd = in.byte();
  config.url = odd & 1
                   ? in.text(texts[0], {"ws://127.0.0.1:1", "wss://127.0.0.1:1", "http://x", ""})
                   : url.c_str();
  config.platform = odd & 2 ? static_cast<int8_t>(in.byte()) : TIM_PLATFORM_ANDROID;
  config.sdk_app_id = odd & 2 ? in.number() : 1;
  config.label = in.text(texts[1], {nullptr, "phone"});
  config.instance = in.text(texts[2], {nullptr, "instance"});
  if (odd & 4) config.sdk = in.text(texts[3], {});
  if (odd & 8) config.ca_pem = in.text(texts[4], {""});
  if (odd & 8) config.data_dir = in.text(texts[5], {"/dev/null/impossible"});
  if (odd & 8 && config.data_dir != nullptr && config.data_dir[0] != '/')
    config.data_dir = nullptr; // no litter
  if (config.data_dir != nullptr) config.data_dir = "/dev/null/impossible";
  config.login_timeout_ms = in.byte() % 3 ? 50 : static_cast<int32_t>(in.number());
  config.logout_timeout_ms = 20;
  config.background = odd >> 4 & 1;
  config.log_level = in.byte() % 8 - 1;
  config.on_log = odd & 32 ? on_log : nullptr;
  config.ticket_provider = odd & 64 ? on_ticket : nullptr;
  config.on_destroy = on_destroy;
  config.user_data = world.get();
  // Hosts may be built with older and newer headers: the size says how much there is, and no byte beyond it is read.
  if (in.byte() == 1) config.struct_size = static_cast<uint32_t>(in.number() % (2 * sizeof config));
  bool watched = config.struct_size >= sizeof config; // else there is nobody to count it
  if (!watched)
    config.on_log = nullptr, config.ticket_provider = nullptr, config.on_destroy = nullptr;
  size_t size = config.struct_size < sizeof(uint32_t) ? sizeof(uint32_t) : config.struct_size;
  std::unique_ptr<char[]> exact(new char[size]());
  memcpy(exact.get(), &config, size < sizeof config ? size : sizeof config);
  if (size > sizeof config) exact[size - 1] = static_cast<char>(in.byte() % 4 == 1);
  world->inside = in.part(in.byte() % 8);
  tim_client client = 77;
  uint32_t abi = in.byte() == 1 ? static_cast<uint32_t>(in.number()) : TIM_ABI_VERSION;
  tim_code code = tim_client_new_abi(reinterpret_cast<tim_config *>(exact.get()), &client, abi);
  CHECK((code == TIM_OK) == (client != 0));
  if (code != TIM_OK) return;
  if (watched) {
    made++;
    (void)tim_set_event_callback(client, on_event, world.release());
  }
  (void)tim_client_free(slot.exchange(client));
}

void done(tim_code code, int *once) {
  if (code == TIM_OK)
    taken++;
  else
    delete once;
}

void look(tim_client client) {
  char user[TIM_USER_ID_SIZE];
  size_t size = sizeof user;
  int64_t now;
  (void)tim_get_login_status(client);
  CHECK((tim_is_ready(client) & ~1) == 0);
  if (tim_get_login_user(client, user, &size) == TIM_OK) CHECK(strlen(user) + 1 == size);
  size = 2;
  (void)tim_get_login_user(client, user, &size);
  (void)tim_get_server_time(client, &now);
}

void run(Input in) {
  while (in.left > 0) {
    std::string user, ticket;
    uint8_t op = in.byte();
    std::atomic<tim_client> &slot = clients[op / 16 % kClients];
    tim_client client = op >= 240 ? in.number() : slot.load();
    const char *user_id = op % 16 > 0 && op % 16 < 4 ? in.text(user, {"alice", "bob"}) : nullptr;
    const char *usual[] = {"ok",          "slow=2", "silent",        "refuse=70009", "cut",
                           "expires=300", "ok cut", "ok kick=1,3,x", "ok expire"};
    uint8_t which = in.byte();
    const char *text = which < 9 ? usual[which] : in.text(ticket, {"ok", "ok bye=1"});
    switch (op % 16) {
    case 0:
      make(in, slot), in.part(16);
      break;
    case 1:
    case 2:
    case 3: {
      auto *once = new int(1);
      done(tim_login(client, user_id, text, on_done, once), once);
      break;
    }
    case 4: {
      auto *once = new int(1);
      done(tim_renew(client, text, on_done, once), once);
      break;
    }
    case 5: {
      auto *once = new int(1);
      done(tim_logout(client, on_done, once), once);
      break;
    }
    case 6:
      (void)tim_login(client, "alice", text, nullptr, nullptr);
      break;
    case 7:
      (void)tim_wake(client);
      break;
    case 8:
      (void)tim_set_background(client, which - 100);
      break;
    case 9:
      (void)tim_provide_ticket(client, which, text);
      break;
    case 10:
      look(client);
      break;
    case 11:
      (void)tim_client_free(client);
      break;
    case 12:
      usleep(which * 20);
      break;
    case 13: {
      auto mine = in.part(which % 64);
      std::thread(run, Input{mine.data(), mine.size()}).join();
      break;
    }
    case 14: {
      auto mine = in.part(which % 64), theirs = in.part(which % 64);
      std::thread a(run, Input{mine.data(), mine.size()}),
          b(run, Input{theirs.data(), theirs.size()});
      a.join(), b.join();
      break;
    }
    default:
      CHECK(tim_code_name(which) != nullptr && tim_code_text(which) != nullptr);
      break;
    }
  }
}

} // namespace

extern "C" int LLVMFuzzerInitialize(int *, char ***) {
  const char *server = getenv("TIM_FUZZ_URL");
  if (server == nullptr)
    return fprintf(stderr, "fuzz.sh starts the server that this needs\n"), exit(2), 0;
  url = server;
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  made = destroyed = taken = answered = 0;
  run(Input{data, size});
  for (auto &slot : clients) (void)tim_client_free(slot.exchange(0));
  CHECK(made == destroyed);
  CHECK(taken == answered);
  return 0;
}
