/* tim.h: keep a user signed in.
 *
 * tim is a login and session engine for instant messaging. A client logs a user in with a ticket
 * that your own backend made, stays connected, comes back by itself when the network fails, and
 * tells you when the session ends and why. This header is its whole C interface:
 *
 *     tim_config config = TIM_CONFIG_INIT;
 *     tim_client client;
 *     config.url        = "wss://tim.example.com";
 *     config.sdk_app_id = 1400000001;
 *     config.platform   = TIM_PLATFORM_LINUX;
 *     tim_client_new(&config, &client);
 *     tim_set_event_callback(client, on_event, NULL);
 *     tim_login(client, "alice", ticket, on_done, NULL);
 *     ...
 *     tim_client_free(client);
 *
 * examples/c/login.c is a program you can build with one line.
 *
 * CODES. Functions return 0 (TIM_OK) or an error code, and callbacks are given the same codes. All
 * of them are listed in tim_codes.gen.h; tim_code_name and tim_code_text put them into words.
 * There is no other kind of error: no errno, no last error. Four codes can come back from nearly
 * every function at once:
 *
 *     TIM_INVALID_PARAMETERS   an argument is NULL, empty, too long or not UTF-8
 *     TIM_NOT_INITIALIZED      no such client: never made, freed already, or being freed
 *     TIM_INVALID_OPERATION    the call makes no sense now, such as any call in a forked child
 *     TIM_INTERNAL             a mistake in tim; the client has been closed, your program lives on
 *
 * THREADS. Every function may be called from any thread at any time, also from inside a callback,
 * and also while another thread frees the same client. No function waits for the network, and none
 * waits for your callbacks except tim_client_free and tim_set_event_callback.
 *
 * CALLBACKS. The callbacks of a client run one at a time and in order: what a call changed is told
 * before the call's own result. They run on threads of tim's, not always on the same one: a program
 * that must attach a thread to its virtual machine checks each time whether it is. The getters never
 * lag behind: inside a callback they already say what the callback tells. No callback runs before
 * tim_client_new returns or after tim_client_free returns. A slow callback delays the callbacks of
 * its own client and nothing else, but one that keeps 1,024 events waiting closes its client with
 * TIM_INTERNAL. A callback must return, and leave its thread as it found it: no longjmp, no C++
 * exception out of it. The thread blocks the signals a program handles, so reset the signal mask in
 * a child process that you start from a callback.
 *
 * STRINGS are UTF-8 and end with a NUL. What you pass in is copied before the function returns.
 * What a callback is given is valid until it returns, and never NULL: an absent string is "".
 *
 * STRUCTS that may grow start with struct_size. TIM_CONFIG_INIT sets it in what you pass; in what
 * you are given, a field exists if struct_size reaches beyond it. A config from a newer header is
 * accepted as long as the fields this library does not know are zero.
 *
 * TIMES are milliseconds, as in the names; moments are Unix time, by the server's clock.
 *
 * SIGNALS of your program stay yours. tim's threads block all signals except those that mean a
 * crash, so your handlers never run on them, with or without SA_ONSTACK. tim writes nothing to
 * stdout and stderr.
 *
 * LIMITS. One process can hold 4,096 clients. The library contains the Go runtime: it cannot be
 * unloaded, and dlclose leaves it in place. After fork, only the getters and the functions about
 * codes and versions work in the child; every other call returns TIM_INVALID_OPERATION there until
 * exec. On Linux it needs glibc; musl cannot load it. Two copies in one process work, and share
 * nothing. Your threads may have the smallest stack there is. Where memory runs out, calls return
 * TIM_OUT_OF_MEMORY; but where the Go runtime needs memory or a thread for itself and gets none, it
 * says so on stderr and ends the process. A program exits without having to free its clients.
 */
#ifndef TIM_H
#define TIM_H

#include <stddef.h>
#include <stdint.h>

#include "tim_codes.gen.h"

/* Grows when a program built with an older header would no longer work. */
#define TIM_ABI_VERSION 1

#if defined(TIM_STATIC)
#  define TIM_API extern
#elif defined(_WIN32) && defined(TIM_BUILDING)
#  define TIM_API extern __declspec(dllexport)
#elif defined(_WIN32)
#  define TIM_API extern __declspec(dllimport)
#elif defined(__GNUC__)
#  define TIM_API extern __attribute__((visibility("default")))
#else
#  define TIM_API extern
#endif
#if defined(_WIN32)
#  define TIM_CALL __cdecl
#else
#  define TIM_CALL
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* TIM_OK or one of the error codes of tim_codes.gen.h. */
typedef int32_t tim_code;

/* A client: a number, not a pointer. 0 is no client. The number of a freed client is never used
 * again, so a call with one is an error and never a crash. */
typedef uint64_t tim_client;

/* ---- Callbacks ------------------------------------------------------------------------------- */

/* An event. kind says what happened and which fields mean something; the others are 0 or "". */
typedef struct tim_event {
  uint32_t struct_size;
  int32_t kind;         /* TIM_EVENT_... */
  int32_t login_status; /* LOGIN_STATUS: TIM_LOGGED_OUT, TIM_LOGGING_IN or TIM_LOGGED_IN */
  int32_t ready;        /* READY: 1 or 0 */
  int32_t resumed;      /* CONNECTED: 1 if the session came back, 0 after a login */
  tim_code code;        /* DISCONNECTED: why, TIM_OK if nobody is logged in any more.
                           KICKED_OFFLINE, USER_SIG_EXPIRED: what ended the session.
                           CLOSED: TIM_OK, or TIM_INTERNAL if the client closed itself */
  int32_t kick_reason;  /* KICKED_OFFLINE: TIM_KICK_..., 0 if code says it all */
  int32_t by_platform;  /* KICKED_OFFLINE: TIM_PLATFORM_... of the newcomer, 0 if there is none */
  int64_t at_ms;        /* KICKED_OFFLINE: when, 0 if not known.
                           USER_SIG_WILL_EXPIRE: when the ticket ends */
  const char *by_label; /* KICKED_OFFLINE: what the newcomer's device is called */
  const char *text;     /* where there is a code: the reason in words, for a log */
} tim_event;

/* Hears the events of a client. See tim_set_event_callback. */
typedef void(TIM_CALL *tim_event_fn)(tim_client client, const tim_event *event, void *user_data);

/* The answer to a login, a logout or a renewal. After a login that succeeded, the fields between
 * code and text say more. */
typedef struct tim_result {
  uint32_t struct_size;
  tim_code code;        /* TIM_OK, or why it failed */
  int32_t repeat_login; /* 1: the user was already logged in and nothing was sent */
  int32_t reserved;
  int64_t ticket_expires_ms; /* when the ticket ends */
  const char *session;       /* names the session on the server, for support */
  const char *text;          /* why it failed, in words, for a log */
} tim_result;

/* Hears the answer to a call. It runs exactly once if the call returned TIM_OK, and never if it
 * returned anything else. A call that is pending when the client is freed is answered with
 * TIM_INTERRUPTED. */
typedef void(TIM_CALL *tim_done_fn)(tim_client client, const tim_result *result, void *user_data);

/* Is asked for a fresh ticket of user_id, long before the running one ends. Fetch one from your
 * backend, in your own time and on any thread, and give it to tim_provide_ticket together with
 * request. */
typedef void(TIM_CALL *tim_ticket_fn)(tim_client client, uint64_t request, const char *user_id,
                                      void *user_data);

/* Hears lines for your log, without an end of line. Tickets and keys are never in them. level is
 * TIM_LOG_... */
typedef void(TIM_CALL *tim_log_fn)(tim_client client, int32_t level, const char *line,
                                   void *user_data);

/* Is the last call that a client makes: free what user_data points to here. */
typedef void(TIM_CALL *tim_destroy_fn)(void *user_data);

/* ---- Making a client ------------------------------------------------------------------------- */

/* What a client is. url, sdk_app_id and platform are required; zero works for everything else. */
typedef struct tim_config {
  uint32_t struct_size; /* set by TIM_CONFIG_INIT */

  /* TIM_PLATFORM_...: what the login policies count this device as. */
  int32_t platform;
  /* The SDKAppID. */
  uint64_t sdk_app_id;
  /* wss://host[:port]. ws:// only for this very machine, unless allow_insecure is 1. */
  const char *url;

  /* A folder that keeps this installation's identity over restarts; it is made if it is missing.
   * NULL: each client counts as a new device. Clients of one program that sign in at the same time
   * need a folder each. */
  const char *data_dir;
  /* The identity itself, at most 64 bytes, if you keep it elsewhere. */
  const char *instance;
  /* What a person calls this device, at most 64 bytes. Those it pushes out are told. */
  const char *label;
  /* Name and version of a binding that is built on this header. NULL: tim-c and the version. */
  const char *sdk;
  /* PEM certificates that may sign the server's. NULL: those of the system. */
  const char *ca_pem;

  /* From a login to its answer, over all tries. 0: 15,000. */
  int32_t login_timeout_ms;
  /* A logout's wait for the server. 0: 5,000. */
  int32_t logout_timeout_ms;
  /* 1: ws:// to other machines, too. Tickets then cross the network in the clear. */
  int32_t allow_insecure;
  /* 1: start as after tim_set_background(client, 1). */
  int32_t background;
  /* The least level that on_log hears. TIM_LOG_NONE, which is 0: nothing. */
  int32_t log_level;
  int32_t reserved;

  /* Any of these may be NULL. */
  tim_log_fn on_log;
  tim_ticket_fn ticket_provider; /* NULL: TIM_EVENT_USER_SIG_WILL_EXPIRE asks for tim_renew */
  tim_destroy_fn on_destroy;
  void *user_data; /* handed to the three above */
} tim_config;

#define TIM_CONFIG_INIT \
  { \
    (uint32_t)sizeof(tim_config), 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, 0, 0, 0, 0, \
        NULL, NULL, NULL, NULL \
  }

/* Makes a client and stores it in *client. Nothing connects before the first login.
 *
 * TIM_INVALID_PARAMETERS  something in config is missing or impossible
 * TIM_LOCAL_IO_FAILED     data_dir cannot be read or written
 * TIM_NOT_SUPPORTED       the library is older than the header or than a field that config sets
 * TIM_OUT_OF_MEMORY       no memory, or 4,096 clients already
 *
 * *client is 0 unless TIM_OK is returned; on_destroy is then not called. */
#define tim_client_new(config, client) tim_client_new_abi((config), (client), TIM_ABI_VERSION)
TIM_API tim_code TIM_CALL tim_client_new_abi(const tim_config *config, tim_client *client,
                                             uint32_t abi_version);

/* Hears the events of client from now on, instead of whoever heard them before; NULL hears
 * nothing. Events that nobody hears are not kept: set it before the first login to miss none.
 *
 * When this returns, the callback that was replaced is not running and will not run again, so what
 * its user_data points to may go. Inside that very callback it returns at once, and the promise
 * holds when the callback returns. Do not hold a lock that the callback takes. */
TIM_API tim_code TIM_CALL tim_set_event_callback(tim_client client, tim_event_fn on_event,
                                                 void *user_data);

/* ---- Being logged in ------------------------------------------------------------------------- */

/* Logs user_id in with a ticket (a UserSig). The answer comes once, through done, within
 * login_timeout_ms: TIM_OK, the server's code, or the network's code if no server was reached;
 * refusals are not retried, failures of the network are. done may be NULL.
 *
 * Already logged in as user_id: succeeds at once with repeat_login; a newer ticket is passed on in
 * the background.
 * Logged in as somebody else: that user is logged out first.
 * Login of user_id under way: both calls get the one answer; the newer ticket counts.
 * Login of somebody else under way: that one ends with TIM_LOGGED_OUT_BEFORE_LOGIN_FINISHED.
 *
 * A ticket that the server has called expired before is not sent again: TIM_USER_SIG_EXPIRED.
 *
 * Returned at once, without done: TIM_INVALID_PARAMETERS for an empty or too long user_id or
 * ticket, TIM_INVALID_USER_ID for characters that a userID may not have, TIM_QUEUE_FULL while 1,024
 * calls of this client wait for their answer, TIM_OUT_OF_MEMORY if the system gives no thread for
 * the client's callbacks. */
TIM_API tim_code TIM_CALL tim_login(tim_client client, const char *user_id, const char *ticket,
                                    tim_done_fn done, void *user_data);

/* Logs the user out: here at once, on the server as soon as it can be told. done comes when the
 * server confirmed or after logout_timeout_ms, with TIM_OK in both cases. Nobody logged in:
 * TIM_NOT_LOGGED_IN, through done. */
TIM_API tim_code TIM_CALL tim_logout(tim_client client, tim_done_fn done, void *user_data);

/* Gives the running session a fresh ticket without going offline. Nobody logged in:
 * TIM_NOT_LOGGED_IN, through done. An old ticket stays in force when the new one is refused. */
TIM_API tim_code TIM_CALL tim_renew(tim_client client, const char *ticket, tim_done_fn done,
                                    void *user_data);

/* Answers a question of the ticket provider; request is the number it came with. NULL or "" means
 * that there is no ticket to be had now: the question comes again later. An answer that comes too
 * late, comes twice, or is for a user who is no longer logged in is dropped with
 * TIM_INVALID_OPERATION. */
TIM_API tim_code TIM_CALL tim_provide_ticket(tim_client client, uint64_t request,
                                             const char *ticket);

/* Tells the engine that the app came to the foreground or the network changed: it checks its
 * connection, or connects again now instead of later. */
TIM_API tim_code TIM_CALL tim_wake(tim_client client);

/* Tells the engine that the app is in the background (1), where it tries to come back less often,
 * or is not (0). */
TIM_API tim_code TIM_CALL tim_set_background(tim_client client, int32_t background);

/* ---- Looking: these cost a few nanoseconds and work everywhere ------------------------------- */

/* TIM_LOGGED_OUT, TIM_LOGGING_IN or TIM_LOGGED_IN; or TIM_NOT_INITIALIZED, a different number, for
 * no client. A lost connection does not change it. */
TIM_API int32_t TIM_CALL tim_get_login_status(tim_client client);

/* 1 while a user is logged in, 0 otherwise and for no client. A lost connection does not change
 * it. */
TIM_API int32_t TIM_CALL tim_is_ready(tim_client client);

/* Writes who is logged in to buffer, or "" if nobody is. *size is the buffer's size, and
 * afterwards what the name needs with its NUL. Too small: TIM_INVALID_PARAMETERS, and nothing is
 * written but *size. TIM_USER_ID_SIZE is always enough. buffer may be NULL if *size is 0. */
#define TIM_USER_ID_SIZE 33
TIM_API tim_code TIM_CALL tim_get_login_user(tim_client client, char *buffer, size_t *size);

/* Stores the server's clock in *unix_ms. Known since the first login, also while offline; before
 * it: TIM_NOT_LOGGED_IN and 0. */
TIM_API tim_code TIM_CALL tim_get_server_time(tim_client client, int64_t *unix_ms);

/* ---- The end --------------------------------------------------------------------------------- */

/* Frees client. The session on the server is not ended: call tim_logout first, and wait for its
 * answer, if the user is to appear offline at once.
 *
 * From this moment every other call says TIM_NOT_INITIALIZED. Events tell what ends, pending calls
 * are answered with TIM_INTERRUPTED, TIM_EVENT_CLOSED is delivered, and on_destroy runs, all on
 * threads of tim's. Then this returns, and nothing of the client runs ever again. Do not hold a
 * lock that a callback takes.
 *
 * Inside a callback of the same client it returns at once, and all that happens when that callback
 * has returned. Freeing twice, or freeing 0, returns TIM_NOT_INITIALIZED and does no harm. */
TIM_API tim_code TIM_CALL tim_client_free(tim_client client);

/* ---- Codes and versions ---------------------------------------------------------------------- */

/* The name of a code, such as "TIM_TICKET_EXPIRED", and what happened in a sentence, such as "the
 * ticket is expired". Never NULL; "TIM_UNKNOWN" and "unknown code" for a number this version does
 * not know. */
TIM_API const char *TIM_CALL tim_code_name(tim_code code);
TIM_API const char *TIM_CALL tim_code_text(tim_code code);

/* The library's version, such as "0.1.0", and its TIM_ABI_VERSION. Those of the header are
 * TIM_VERSION_STRING and TIM_ABI_VERSION. */
TIM_API const char *TIM_CALL tim_version(void);
TIM_API uint32_t TIM_CALL tim_abi_version(void);

#ifdef __cplusplus
}
#endif
#endif /* TIM_H */
