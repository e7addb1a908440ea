#include "services/state.h"

#include <criterion/criterion.h>
#include <stdlib.h>

TestSuite(state);

static struct enc_chunk *take(void *self, size_t len)
{
    (void)self;
    struct enc_chunk *chunk = (struct enc_chunk *)aligned_alloc(16, (len + 15) & ~(size_t)15);
    chunk->len = (len + 15) & ~(size_t)15;
    return chunk;
}

static void give(void *self, struct enc_chunk *list)
{
    (void)self;
    while (list) {
        struct enc_chunk *next = list->next;
        free(list);
        list = next;
    }
}

static const struct enc_chunk_source CHUNKS = {take, give, NULL};

static struct enc_bytes encode(struct enc_arena *arena, const struct enc_state *state)
{
    struct enc_buffer buffer;
    struct enc_bytes record;
    enc_buffer_init(&buffer, arena, SIZE_MAX / 4);
    enc_state_encode(&buffer, state);
    cr_assert_eq(enc_buffer_bytes(&buffer, &record), ENC_ERR_OK);
    return record;
}

static void fill(struct enc_state *state, struct enc_bytes *closed)
{
    const uint8_t id32[32] = {1, 2, 3};
    const uint8_t leaf32[32] = {9};
    enc_state_init(state, id32);
    state->exists = true;
    state->ord = 0x0102030405060708;
    state->next_seq = 77;
    state->last_ms = 1750000000001;
    state->owner_count = 3;
    state->status = ENC_STATUS_PAUSED;
    state->smt_version = 12;
    state->smt.ref = (struct enc_smt_ref){.version = 12, .index = 4};
    state->pending_row_id = 99;
    state->sth.ts = 2;
    memset(state->sth.sig64, 7, 64);
    for (int i = 0; i < 5; i++) {
        cr_assert_eq(enc_frontier_add(&state->ct, NULL, leaf32), ENC_ERR_OK);
        cr_assert_eq(enc_frontier_add(&state->bundle, NULL, leaf32), ENC_ERR_OK);
    }
    *closed = ENC_LIT("Note");
    state->gates = (struct enc_gates){closed, 1};
}

Test(state, what_is_written_is_read_and_written_alike)
{
    struct enc_arena arena;
    struct enc_state state, again;
    struct enc_bytes closed;
    enc_arena_init(&arena, &CHUNKS, 1 << 20);
    fill(&state, &closed);
    struct enc_bytes record = encode(&arena, &state);
    cr_assert_eq(enc_state_decode(&again, &arena, record), ENC_ERR_OK);
    cr_assert(again.exists);
    cr_assert_eq(again.ord, state.ord);
    cr_assert_eq(again.next_seq, 77);
    cr_assert_eq(again.owner_count, 3);
    cr_assert_eq(again.status, ENC_STATUS_PAUSED);
    cr_assert_eq(again.smt.ref.index, 4);
    cr_assert(enc_gates_stop(&again.gates, ENC_LIT("Note")));
    cr_assert(enc_bytes_equal(encode(&arena, &again), record));
    enc_arena_fini(&arena);
}

Test(state, a_record_that_is_cut_anywhere_is_refused)
{
    struct enc_arena arena;
    struct enc_state state, again;
    struct enc_bytes closed;
    enc_arena_init(&arena, &CHUNKS, 1 << 20);
    fill(&state, &closed);
    struct enc_bytes record = encode(&arena, &state);
    for (size_t len = 0; len < record.len; len++)
        cr_assert_eq(enc_state_decode(&again, &arena, enc_bytes_of(record.data, len)),
                     ENC_ERR_INTERNAL, "%zu of %zu", len, record.len);
    enc_arena_fini(&arena);
}
