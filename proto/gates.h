/**
 * Closed gates: an immutable, sorted list of content types whose creation is stopped (protocol.md
 * 5.5). A change makes a new list. Pure; any thread.
 */
#pragma once

#include "proto/base/arena.h"

enum { ENC_GATES_MAX = 1024 };

struct enc_gates {
    const struct enc_bytes *types; /* closed; ascending bytewise, each once */
    size_t count;
};

/** Whether C on this type is stopped. */
bool enc_gates_stop(const struct enc_gates *gates, struct enc_bytes type);

/**
 * The list after a Gate event. out lives in arena; type is copied, the other names are shared with
 * gates. Opening an open or closing a closed gate gives an equal list.
 * Errors: TOO_LARGE (more than ENC_GATES_MAX closed gates, arena)
 */
ENC_MUST_USE enum enc_err enc_gates_set(struct enc_gates *out, struct enc_arena *arena,
                                        const struct enc_gates *gates, struct enc_bytes type,
                                        bool is_open);

/** Append a record: be16 count, then length (1) and bytes of each type; equal for equal lists. */
void enc_gates_put(struct enc_buffer *buffer, const struct enc_gates *gates);

/**
 * Read a record; strict. Everything is copied into arena.
 * Errors: INTERNAL (not a record), TOO_LARGE (arena)
 */
ENC_MUST_USE enum enc_err enc_gates_take(struct enc_gates *out, struct enc_arena *arena,
                                         struct enc_bytes record);
