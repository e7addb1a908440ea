#include "actors/tally.h"

#include <stdlib.h>
#include <string.h>

enum { LINE_LEN = 64, CELLS_PER_LINE = LINE_LEN / sizeof(uint64_t) };

_Thread_local uint32_t enc_tally_stripe;

uint32_t enc_tally_join(void)
{
    static _Atomic uint32_t joined;
    /* relaxed: only the number matters, and two threads may share a stripe */
    uint32_t index = atomic_fetch_add_explicit(&joined, 1, memory_order_relaxed);
    enc_tally_stripe = index % ENC_TALLY_STRIPES + 1;
    return enc_tally_stripe;
}

/* Cells that nobody uses stay pages that were never touched: calloc and not aligned_alloc. */
bool enc_tally_init(struct enc_tally *tally, size_t count)
{
    ENC_CHECK(count > 0);
    tally->stride = (count + CELLS_PER_LINE - 1) / CELLS_PER_LINE * CELLS_PER_LINE;
    tally->cells =
        (_Atomic uint64_t *)calloc(ENC_TALLY_STRIPES * tally->stride, sizeof *tally->cells);
    return tally->cells != NULL;
}

void enc_tally_fini(struct enc_tally *tally)
{
    free(tally->cells);
    tally->cells = NULL;
}

uint64_t enc_tally_sum(const struct enc_tally *tally, size_t cell)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < ENC_TALLY_STRIPES; i++)
        /* relaxed: see enc_tally_add */
        sum += atomic_load_explicit(&tally->cells[i * tally->stride + cell], memory_order_relaxed);
    return sum;
}
