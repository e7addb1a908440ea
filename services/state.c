#include "services/state.h"

enum { RECORD_VERSION = 1 };

void enc_state_init(struct enc_state *state, const uint8_t enclave32[32])
{
    *state = (struct enc_state){.smt = enc_smt_root_empty()};
    memcpy(state->enclave32, enclave32, 32);
}

/* The fields of fixed width in the order of the record: one list serves both directions. */
struct field {
    void *at;
    size_t len; /* 8 = an integer of 8 bytes, else bytes as they are */
};

enum { FIELD_COUNT = 18 };

static void list_fields(struct field fields[FIELD_COUNT], struct enc_state *state)
{
    const struct field rows[FIELD_COUNT] = {
        {&state->service, 1},
        {state->enclave32, 32},
        {state->new_sequencer32, 32},
        {&state->ord, 8},
        {&state->next_seq, 8},
        {&state->last_ms, 8},
        {&state->created_ms, 8},
        {&state->smt_version, 8},
        {&state->smt.ref.version, 8},
        {&state->smt.count, 8},
        {&state->bundle_first_seq, 8},
        {&state->bundle_first_ms, 8},
        {&state->pending_row_id, 8},
        {&state->sth.t_ms, 8},
        {&state->sth.ts, 8},
        {state->smt.hash32, 32},
        {state->leaf_state_hash32, 32},
        {state->sth.r32, 32},
    };
    memcpy(fields, rows, sizeof rows);
}

static void put_field(struct enc_buffer *buffer, const struct field *field)
{
    uint8_t be8[8];
    uint64_t value = 0;
    if (field->len != 8) {
        enc_buffer_add(buffer, enc_bytes_of(field->at, field->len));
        return;
    }
    memcpy(&value, field->at, 8);
    enc_be64_put(be8, value);
    enc_buffer_add(buffer, enc_bytes_of(be8, 8));
}

static void put_u32(struct enc_buffer *buffer, uint32_t value)
{
    uint8_t be4[4];
    enc_be32_put(be4, value);
    enc_buffer_add(buffer, enc_bytes_of(be4, 4));
}

static void put_frontier(struct enc_buffer *buffer, const struct enc_frontier *frontier)
{
    uint8_t record[ENC_FRONTIER_LEN_MAX];
    size_t len = enc_frontier_encode(record, frontier);
    put_u32(buffer, (uint32_t)len);
    enc_buffer_add(buffer, enc_bytes_of(record, len));
}

void enc_state_encode(struct enc_buffer *buffer, const struct enc_state *state)
{
    struct enc_state copy = *state;
    struct field fields[FIELD_COUNT];
    list_fields(fields, &copy);
    put_u32(buffer, RECORD_VERSION);
    for (size_t i = 0; i < FIELD_COUNT; i++)
        put_field(buffer, &fields[i]);
    enc_buffer_add(buffer, enc_bytes_of(state->sth.sig64, 64));
    put_u32(buffer, state->owner_count);
    put_u32(buffer, state->smt.ref.index);
    put_u32(buffer, (uint32_t)state->status);
    put_frontier(buffer, &state->ct);
    put_frontier(buffer, &state->bundle);
    enc_gates_put(buffer, &state->gates);
}

/* Cuts a record from its front; a short record leaves ok false. */
struct cutter {
    struct enc_bytes rest;
    bool ok;
};

static struct enc_bytes cut(struct cutter *cutter, size_t len)
{
    if (!cutter->ok || len > cutter->rest.len) {
        cutter->ok = false;
        return (struct enc_bytes){NULL, 0};
    }
    struct enc_bytes piece = enc_bytes_of(cutter->rest.data, len);
    cutter->rest = enc_bytes_of(cutter->rest.data + len, cutter->rest.len - len);
    return piece;
}

static uint32_t cut_u32(struct cutter *cutter)
{
    struct enc_bytes piece = cut(cutter, 4);
    return piece.len ? enc_be32_get(piece.data) : 0;
}

static void cut_field(struct cutter *cutter, const struct field *field)
{
    struct enc_bytes piece = cut(cutter, field->len);
    if (!piece.len)
        return;
    if (field->len == 8) {
        uint64_t value = enc_be64_get(piece.data);
        memcpy(field->at, &value, 8);
        return;
    }
    memcpy(field->at, piece.data, piece.len);
}

static void cut_fields(struct cutter *cutter, struct enc_state *state)
{
    struct field fields[FIELD_COUNT];
    list_fields(fields, state);
    for (size_t i = 0; i < FIELD_COUNT; i++)
        cut_field(cutter, &fields[i]);
    struct enc_bytes sig = cut(cutter, 64);
    if (sig.len)
        memcpy(state->sth.sig64, sig.data, 64);
    state->owner_count = cut_u32(cutter);
    state->smt.ref.index = cut_u32(cutter);
    state->status = (enum enc_status)cut_u32(cutter);
}

enum enc_err enc_state_decode(struct enc_state *state, struct enc_arena *arena,
                              struct enc_bytes record)
{
    struct cutter cutter = {.rest = record, .ok = true};
    *state = (struct enc_state){.exists = true};
    if (cut_u32(&cutter) != RECORD_VERSION)
        return ENC_ERR_INTERNAL;
    cut_fields(&cutter, state);
    struct enc_bytes ct = cut(&cutter, cut_u32(&cutter));
    struct enc_bytes bundle = cut(&cutter, cut_u32(&cutter));
    if (!cutter.ok || (unsigned)state->status >= ENC_STATUS_COUNT)
        return ENC_ERR_INTERNAL;
    ENC_TRY(enc_frontier_decode(&state->ct, ct));
    ENC_TRY(enc_frontier_decode(&state->bundle, bundle));
    return enc_gates_take(&state->gates, arena, cutter.rest);
}

bool enc_state_is_of(const struct enc_state *state, const uint8_t enclave32[32],
                     const struct enc_enclave_row *row)
{
    return memcmp(state->enclave32, enclave32, 32) == 0 && state->ord == row->ord &&
           state->service == row->service;
}
