/** Gathering the facts a commit is judged by, so that the judges themselves only look. */
#pragma once

#include "services/pipeline.h"

/** Steps 1-4: what a commit says and what time it is. Any thread. */
void enc_case_init(struct enc_case *c, const struct enc_exchange *exchange, uint64_t now_ms);

/**
 * Steps 5-8: the facts of the enclave as staged by the run so far. Lives in the run's arena.
 * Errors: INTERNAL (damage), TOO_LARGE (arena)
 */
ENC_MUST_USE enum enc_err enc_case_load(struct enc_case *c, struct enc_run *run,
                                        const struct enc_exchange *exchange);
