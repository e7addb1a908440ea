/**
 * Small reads that one turn of a loop brought are done together: by the loop itself, which wakes
 * nobody, or as one job, for which a worker is woken once, and the loop once by its end.
 */
#pragma once

#include "services/exchange.h"

/**
 * Put a message behind those that its loop has gathered in this turn; with the last one that fits
 * they leave. The job runs with the first of them, the others follow along `together`; when the
 * first is_on_loop, on the loop's thread, and whatever may take long goes to
 * enc_gathered_submit. Without a gathering it leaves alone for a worker. Takes the exchange over.
 * Loop thread.
 */
void enc_gather(struct enc_exchange *exchange, void (*fn)(struct enc_job *job));

/** A list along `together` to a worker; when too many jobs wait all are answered BUSY. Takes them
 * over. Any thread. */
void enc_gathered_submit(struct enc_exchange *list);
