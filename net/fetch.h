/**
 * Outbound POSTs of the services over libcurl, on the first loop. Never blocks: names are looked
 * up on threads of libcurl's, TLS and sockets run on the loop. The address is judged after the
 * lookup and for every attempt to connect, so a name cannot point somewhere else later. No proxy,
 * no redirect; of most answers only the status is kept.
 */
#pragma once

#include "net/config.h"
#include "net/loop.h"

struct enc_fetcher;

/** What a POST of net itself may do more: its destination is the operator's choice, so that neither
 * http nor private addresses are refused, no breaker is asked, and it waits for no other. */
struct enc_fetch_own {
    const char *const *headers; /* "Name: value", NULL at the end */
    const char *ca_file;        /* "": the system's */
};

/** A fetcher on loop. Main thread, before the loop starts. config must outlive it. */
struct enc_fetcher *enc_fetcher_new(struct enc_loop *loop, const struct enc_config *config);

/** Start fetch; see struct enc_runtime. Any thread. */
void enc_fetcher_post(struct enc_fetcher *fetcher, struct enc_fetch *fetch);

/** End what is under way or waiting with status 0, and every later fetch at once, but for those of
 * net itself. Loop thread. */
void enc_fetcher_stop(struct enc_fetcher *fetcher);

/** The same for those. */
void enc_fetcher_stop_own(struct enc_fetcher *fetcher);

/**
 * Close its handles; the loop has to run once more to forget them. After the loop has ended, or
 * before it started.
 */
void enc_fetcher_close(struct enc_fetcher *fetcher);

/** Free it, after that. */
void enc_fetcher_free(struct enc_fetcher *fetcher);
