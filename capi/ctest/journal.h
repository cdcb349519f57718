/* A journal writes down, as lines of text, what the callbacks of a client are told, so that a story can say what it
 * expects. It also checks what holds for every callback of every client: one at a time, on a thread of tim's,
 * nothing after the end. */
#ifndef JOURNAL_H
#define JOURNAL_H

#include <pthread.h>

#include "check.h"

struct journal;

/* A new journal, and one line added to it. */
struct journal *journal_new(void);
void journal_write(struct journal *journal, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The next lines that nobody has read must be these, up to a NULL. Waits up to a minute for each. */
void journal_expect(struct journal *journal, ...) __attribute__((sentinel));
#define EXPECT(journal, ...) journal_expect(journal, __VA_ARGS__, (char *)NULL)

/* Reads on until this line came. */
void journal_await(struct journal *journal, const char *line);

/* Nobody wrote a line that was not read, and nobody does for some milliseconds. */
void journal_expect_silence(struct journal *journal, int ms);

/* The first line that begins so, read or not; NULL if there is none. */
const char *journal_find(struct journal *journal, const char *beginning);
int journal_contains(struct journal *journal, const char *part);

/* Callbacks that write to the journal in user_data. */
void journal_event(tim_client client, const tim_event *event, void *journal);
void journal_log(tim_client client, int32_t level, const char *line, void *journal);
void journal_ticket_wanted(tim_client client, uint64_t request, const char *user_id, void *journal);
void journal_destroy(void *journal); /* what it wrote stays; journal_free frees it */
void journal_free(struct journal *journal);

/* user_data for journal_done: the answer is written as "NAME: CODE". Freed by journal_done. */
void *journal_call(struct journal *journal, const char *name);
void journal_done(tim_client client, const tim_result *result, void *call);

/* The newest request that journal_ticket_wanted wrote. */
uint64_t journal_ticket_request(struct journal *journal);

#endif
