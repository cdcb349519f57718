/* What happens to a session: kicks, lost connections, tickets that end. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "story.h"

static void kicked(void) {
  struct journal *journal = journal_new();
  tim_client client = client_for(journal);
  login_alice(client, journal, "ok after=100 kick=2,3,Alice's_Pixel");
  EXPECT(journal, "kicked: TIM_KICKED_OFFLINE, reason 2, by 3 called Alice's_Pixel", "logged out",
         "not ready");
  EXPECT(journal, "disconnected: TIM_OK");
  CHECK_CODE(tim_get_login_status(client), TIM_LOGGED_OUT);
  journal_expect_silence(journal, 700); /* it does not come back by itself */
  login_alice(client, journal, "ok");
  end(client, journal);
}

static void kicked_by_nobody(void) {
  struct journal *journal = journal_new();
  tim_client client = client_for(journal);
  login_alice(client, journal, "ok after=100 kick=3,0,");
  EXPECT(journal, "kicked: TIM_KICKED_OFFLINE, reason 3, by 0 called ");
  end(client, journal);
}

/* What a server sends may be anything; what a callback is given is UTF-8. */
static void label_is_text(void) {
  struct journal *journal = journal_new();
  tim_client client = client_for(journal);
  login_alice(client, journal, "ok after=100 kick=1,3,\xe6\x9d\x8e\xe5\x9b\x9b");
  EXPECT(journal, "kicked: TIM_KICKED_OFFLINE, reason 1, by 3 called \xe6\x9d\x8e\xe5\x9b\x9b");
  end(client, journal);
}

static void lost_and_back(void) {
  struct journal *journal = journal_new();
  tim_client client = client_for(journal);
  login_alice(client, journal, "ok after=100 cut");
  journal_await(journal, "connecting");
  CHECK_CODE(tim_get_login_status(client), TIM_LOGGED_IN);
  CHECK(tim_is_ready(client) == 1);
  EXPECT(journal, "connected again");
  CHECK(journal_find(journal, "disconnected: ") != NULL);
  end(client, journal);
}

static void said_goodbye(void) {
  struct journal *journal = journal_new();
  tim_client client = client_for(journal);
  login_alice(client, journal, "ok after=100 bye=6205,1,300");
  EXPECT(journal, "disconnected: TIM_SERVICE_NOT_READY");
  CHECK_OK(tim_wake(client));
  EXPECT(journal, "connecting", "connected again");
  end(client, journal);
}

static void garbage(void) {
  struct journal *journal = journal_new();
  tim_client client = client_for(journal);
  login_alice(client, journal, "ok after=100 garbage");
  EXPECT(journal, "disconnected: TIM_PARSE_FAILED", "connecting", "connected again");
  end(client, journal);
}

static void expired(void) {
  struct journal *journal = journal_new();
  tim_client client = client_for(journal);
  login_alice(client, journal, "ok after=100 expire");
  EXPECT(journal, "ticket ended: TIM_TICKET_EXPIRED", "logged out", "not ready");
  CHECK_CODE(tim_get_login_status(client), TIM_LOGGED_OUT);
  EXPECT(journal, "disconnected: TIM_OK");
  end(client, journal);
}

static void renewed(void) {
  struct journal *journal = journal_new();
  tim_client client = client_for(journal);
  login_alice(client, journal, "expires=1500");
  EXPECT(journal, "ticket ends soon");
  CHECK_OK(renew(client, journal, "refuse=70009"));
  EXPECT(journal, "renew: TIM_TICKET_KEY_MISMATCH");
  CHECK_CODE(tim_get_login_status(client), TIM_LOGGED_IN);
  CHECK_OK(renew(client, journal, "ok"));
  EXPECT(journal, "renew: TIM_OK");
  journal_expect_silence(journal, 600);
  end(client, journal);
}

static tim_client client_with_provider(struct journal *journal) {
  tim_config config = config_for(journal);
  config.ticket_provider = journal_ticket_wanted;
  return client_with(&config, journal);
}

static void *provide(void *argument) {
  struct provision {
    tim_client client;
    uint64_t request;
  } *p = argument;
  CHECK_OK(tim_provide_ticket(p->client, p->request, "ok"));
  CHECK_CODE(tim_provide_ticket(p->client, p->request, "ok"), TIM_INVALID_OPERATION); /* twice */
  return NULL;
}

static void provided(void) {
  struct journal *journal = journal_new();
  tim_client client = client_with_provider(journal);
  struct {
    tim_client client;
    uint64_t request;
  } provision = {client, 0};
  pthread_t thread;
  login_alice(client, journal, "expires=1500");
  EXPECT(journal, "ticket wanted for alice");
  provision.request = journal_ticket_request(journal);
  CHECK(provision.request != 0);
  CHECK_CODE(tim_provide_ticket(client, provision.request + 1, "ok"), TIM_INVALID_OPERATION);
  pthread_create(&thread, NULL, provide, &provision);
  pthread_join(thread, NULL);
  journal_expect_silence(journal, 700); /* renewed: nobody asks again, nothing ends */
  CHECK_CODE(tim_get_login_status(client), TIM_LOGGED_IN);
  end(client, journal);
}

static void provide_at_once(tim_client client, uint64_t request, const char *user_id,
                            void *user_data) {
  journal_ticket_wanted(client, request, user_id, user_data);
  CHECK_OK(tim_provide_ticket(client, request, "ok"));
}

static void provided_at_once(void) {
  struct journal *journal = journal_new();
  tim_config config = config_for(journal);
  tim_client client;
  config.ticket_provider = provide_at_once;
  client = client_with(&config, journal);
  login_alice(client, journal, "expires=1000");
  EXPECT(journal, "ticket wanted for alice");
  journal_expect_silence(journal, 500);
  end(client, journal);
}

static void provided_too_late(void) {
  struct journal *journal = journal_new();
  tim_client client = client_with_provider(journal);
  uint64_t request;
  login_alice(client, journal, "expires=1000");
  EXPECT(journal, "ticket wanted for alice");
  request = journal_ticket_request(journal);
  CHECK_OK(login(client, journal, "bob", "expires=1000"));
  journal_await(journal, "login bob: TIM_OK");
  journal_await(journal, "ticket wanted for bob");
  CHECK_CODE(tim_provide_ticket(client, request, "ok"), TIM_INVALID_OPERATION); /* alice's */
  request = journal_ticket_request(journal);
  CHECK_OK(logout(client, journal));
  journal_await(journal, "logout: TIM_OK");
  sleep_ms(50);
  CHECK_CODE(tim_provide_ticket(client, request, "ok"),
             TIM_INVALID_OPERATION); /* of nobody any more */
  end(client, journal);
}

static void no_ticket_now(void) {
  struct journal *journal = journal_new();
  tim_client client = client_with_provider(journal);
  login_alice(client, journal, "expires=1000");
  EXPECT(journal, "ticket wanted for alice");
  CHECK_OK(tim_provide_ticket(client, journal_ticket_request(journal), NULL));
  CHECK_CODE(tim_get_login_status(client), TIM_LOGGED_IN);
  end(client, journal);
}

static void logged(void) {
  struct journal *journal = journal_new(), *lines = journal_new();
  tim_config config = config_for(lines);
  tim_client client;
  config.on_log = journal_log;
  config.log_level = TIM_LOG_DEBUG;
  CHECK_OK(tim_client_new(&config, &client));
  CHECK_OK(tim_set_event_callback(client, journal_event, journal));
  login_alice(client, journal, "ok after=0 this-part-is-a-secret-0123456789");
  CHECK_OK(tim_client_free(client));
  journal_await(journal, "closed: TIM_OK");
  journal_await(lines, "destroyed");
  CHECK(journal_find(lines, "log: ") != NULL);
  CHECK(journal_find(journal, "log: ") == NULL);
  CHECK(!journal_contains(lines, "this-part-is-a-secret"));
  journal_free(journal);
  journal_free(lines);
}

const struct story session_stories[] = {
    {"a kick says why and by whom, and is final", kicked},
    {"a kick by an administrator names no newcomer", kicked_by_nobody},
    {"a label crosses as UTF-8", label_is_text},
    {"a lost connection comes back, and nobody is logged out", lost_and_back},
    {"a server that says goodbye is waited for, or woken", said_goodbye},
    {"a server that talks nonsense is left, and tried again", garbage},
    {"a ticket that ends ends the session", expired},
    {"a ticket is renewed by the app", renewed},
    {"a ticket is provided from another thread, once", provided},
    {"a ticket is provided inside the question", provided_at_once},
    {"a ticket that comes too late is dropped", provided_too_late},
    {"a provider may have no ticket", no_ticket_now},
    {"log lines come to the log, without tickets", logged},
    {NULL, NULL},
};
