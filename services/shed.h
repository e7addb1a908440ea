/**
 * Refusing early when answers take too long: what is refused costs next to nothing, so that what
 * is admitted goes on at full speed and is answered in time. The share that is refused follows the
 * time that answers take, as in PIE (RFC 8033). Any thread; a few relaxed atomics.
 */
#pragma once

#include "proto/base/check.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct enc_shed {
    uint32_t target_ms;       /* constant; 0: nothing is ever refused */
    _Atomic uint32_t chance;  /* of being refused, of 2^32 */
    _Atomic uint32_t balance; /* refusals are spread evenly: one for each turn of it */
    _Atomic uint64_t step_ms; /* when the share was judged last */
    _Atomic uint64_t sum_ms;  /* of the answers since then */
    _Atomic uint32_t count;
    _Atomic uint32_t last_ms; /* their mean before */
    _Atomic uint64_t refusals;
};

void enc_shed_init(struct enc_shed *shed, uint32_t target_ms);

/** Whether one more request may come in at now_ms. */
ENC_MUST_USE bool enc_shed_admits(struct enc_shed *shed, uint64_t now_ms);

/** A request that was admitted at begun_ms is answered. */
void enc_shed_note(struct enc_shed *shed, uint64_t begun_ms, uint64_t now_ms);
