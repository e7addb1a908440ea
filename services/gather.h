/**
 * Small reads that one turn of a loop brought become one job: a worker is woken once for all of
 * them, and so is the loop.
 */
#pragma once

#include "services/exchange.h"

/**
 * Put a message behind those that its loop has gathered in this turn; with the last one that fits
 * they leave. The job runs with the first of them, the others follow along `together`; when too
 * many jobs wait all are answered BUSY. Without a gathering it leaves alone. Takes the exchange
 * over. Loop thread.
 */
void enc_gather(struct enc_exchange *exchange, void (*fn)(struct enc_job *job));
