/** What every fuzz target needs: memory for one input, JSON from it, keys that are known. */
#pragma once

#include "proto/base/check.h"
#include "proto/json.h"
#include "proto/schnorr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { FUZZ_MEMORY_LEN = 8 << 20, FUZZ_KEYS = 4 };

/** A fresh arena; only one at a time of each number. */
static inline void fuzz_arena(struct enc_arena *arena, unsigned number)
{
    static _Alignas(16) uint8_t memory[3][FUZZ_MEMORY_LEN];
    ENC_CHECK(number < 3);
    enc_arena_init_fixed(arena, memory[number], FUZZ_MEMORY_LEN);
}

static inline struct enc_json *fuzz_json(struct enc_arena *arena, struct enc_bytes text)
{
    struct enc_json *json = NULL;
    struct enc_json_facts facts;
    return enc_json_parse(&json, arena, text, &facts) == ENC_ERR_OK ? json : NULL;
}

/** The curve of this process, made when first asked for. */
const struct enc_curve *fuzz_curve(void);

/** Key number 0..FUZZ_KEYS-1: the private key is the SHA-256 of "enc-fuzz-<number>". */
const struct enc_key *fuzz_key(unsigned number);
