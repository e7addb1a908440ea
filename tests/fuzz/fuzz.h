/** What every fuzz target needs: memory for one input, and JSON from it. */
#pragma once

#include "proto/base/check.h"
#include "proto/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { FUZZ_MEMORY_LEN = 8 << 20 };

/** A fresh arena; only one at a time of each number. */
static inline void fuzz_arena(struct enc_arena *arena, unsigned number)
{
    static _Alignas(16) uint8_t memory[2][FUZZ_MEMORY_LEN];
    ENC_CHECK(number < 2);
    enc_arena_init_fixed(arena, memory[number], FUZZ_MEMORY_LEN);
}

static inline struct enc_json *fuzz_json(struct enc_arena *arena, struct enc_bytes text)
{
    struct enc_json *json = NULL;
    struct enc_json_facts facts;
    return enc_json_parse(&json, arena, text, &facts) == ENC_ERR_OK ? json : NULL;
}
