/** What the services count and time (figures.def), and how. Any thread; never blocks. */
#pragma once

#include "services/exchange.h"
#include "services/figure.h"
#include "store/apply.h"

#define ENC_COUNTED(symbol, ...) ENC_COUNTED_##symbol,
enum enc_counted {
#include "services/figures.def"
    ENC_COUNTED_COUNT
};
#undef ENC_COUNTED

/** What a commit goes through, one after the other. Up to BUILD a commit by itself, WRITE and SYNC
 * a transaction with all its runs, the others a run. */
enum enc_stage {
    ENC_STAGE_DISPATCH, /* waits for a worker */
    ENC_STAGE_PREPARE,  /* steps 1-4 */
    ENC_STAGE_QUEUE,    /* waits for its enclave's turn, and for those before it */
    ENC_STAGE_JUDGE,    /* steps 5-8 */
    ENC_STAGE_BUILD,    /* steps 9-12 */
    ENC_STAGE_SEAL,     /* pushes, tree and head */
    ENC_STAGE_WRITER,   /* waits for the writer */
    ENC_STAGE_WRITE,    /* into the transaction */
    ENC_STAGE_SYNC,     /* until it is durable */
    ENC_STAGE_PUBLISH,  /* steps 13-14 and answers */
    ENC_STAGE_COUNT
};

/** Its name in figures and traces; static. */
const char *enc_stage_name(enum enc_stage stage);

/** How an attempt at a payload ended. */
enum enc_attempt { ENC_ATTEMPT_DELIVERED, ENC_ATTEMPT_FAILED, ENC_ATTEMPT_GIVEN_UP };

/** The ledger of figures.def. False when memory is short. */
ENC_MUST_USE bool enc_count_open(struct enc_ledger *ledger);

/** One of a row without axes. */
void enc_count(const struct enc_host *host, enum enc_counted what, int64_t delta);

/** Into a histogram without axes. */
void enc_count_size(const struct enc_host *host, enum enc_counted what, uint64_t value);

/** Time on a clock that only goes forward, in ns; 0 when the runtime has none. */
uint64_t enc_host_now_ns(const struct enc_host *host);

/** A stage that has ended, or ends now. */
struct enc_lap {
    enum enc_stage stage;
    uint64_t of; /* whose it was, and what that is part of: for tracers (probe.h); 0 = nothing */
    uint64_t in;
    uint64_t since_ns;
};

/** It ended at until_ns. */
void enc_count_lap(const struct enc_host *host, const struct enc_lap *lap, uint64_t until_ns);

/** It ends now. Returns the time. */
uint64_t enc_count_stage(const struct enc_host *host, const struct enc_lap *lap);

/**
 * The exchange is about to be answered so: its request, its commit, its error. Once per exchange;
 * later calls for the same one only count the error.
 */
void enc_count_answer(struct enc_exchange *exchange, struct enc_verdict verdict);

/** A payload of another node was taken or refused. */
void enc_count_arrival(const struct enc_host *host, bool is_taken);

void enc_count_attempt(const struct enc_host *host, enum enc_attempt attempt);

void enc_count_transaction(const struct enc_host *host, enum enc_outcome outcome);
