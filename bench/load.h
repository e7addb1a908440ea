/** The load generator's parts: commits signed beforehand, and two ways to send them. Bench only; one thread. */
#pragma once

#include "proto/base/bytes.h"

/** Requests made before the clock starts, and answers counted after. */
struct load_work {
    const struct enc_bytes *bodies;
    size_t count;
    size_t in_flight;     /* sent and not yet answered, at most */
    uint64_t *latency_ns; /* per answer, in order of arrival; count entries */
    uint64_t *sent_ns;    /* per request */
    size_t accepted;      /* answers that are Receipts */
    size_t answered;
};

/** A connected TCP socket to host:port with TCP_NODELAY; aborts the program with a message when it fails. */
int load_connect(const char *host, const char *port);

uint64_t load_now_ns(void);

/** Note an answer to request number index. */
void load_answered(struct load_work *work, size_t index, struct enc_bytes body);

/** Send everything over one WebSocket at "/". Answers come in no order between enclaves, so latency is by count. */
void load_ws(struct load_work *work, const char *host, const char *port);

/** Send everything as POST / over one clear HTTP/2 connection, in_flight streams at once (at most 100). */
void load_h2(struct load_work *work, const char *host, const char *port);
