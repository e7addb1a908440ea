/**
 * The rows of one enclave's DataView as a run sees them: those of the store, and over them what the
 * run has staged, so that a later commit of the run finds what an earlier one wrote. Lives in the
 * run's arena and dies with it. On the enclave's turn.
 */
#pragma once

#include "proto/lookup.h"
#include "store/store.h"

/** Views of an enclave. Those below ENC_VIEW_SYNC are not made from events and survive a rebuild.
 */
enum enc_view_number {
    ENC_VIEW_STATE_LEAF = 0, /* tree.h */
    ENC_VIEW_INBOX = 1,      /* events that other nodes pushed in, in order of arrival */
    ENC_VIEW_PUSH_SEQ = 2,   /* the last push_seq of each enclave that pushes */
    ENC_VIEW_SYNC = 3,       /* sync_state: enclave32 -> last_seq, updated_at (protocol.md 11.1) */
    ENC_VIEW_OWN = 16,       /* from here on the service's own */
};

/** Views under ord 0, which is no enclave's: what must be found without knowing an enclave. */
enum enc_shared_view {
    ENC_SHARED_SINGLETON = 1, /* name of a service -> enclave32 */
    ENC_SHARED_OWNER = 2,     /* owner32, enclave32 -> nothing */
};

/** Treat the members as private. */
struct enc_rows {
    struct enc_arena *arena;
    struct enc_snap *snap;
    struct enc_writeset *set;
    struct enc_lookup staged;
    uint64_t ord;
};

/** snap is the state that set is to change; all of them outlive the rows. */
void enc_rows_init(struct enc_rows *rows, struct enc_arena *arena, struct enc_snap *snap,
                   struct enc_writeset *set, uint64_t ord);

/** *found tells whether there is such a row; value lives as long as the rows and their snapshot.
 * Errors: INTERNAL */
ENC_MUST_USE enum enc_err enc_rows_get(const struct enc_rows *rows, bool *found,
                                       struct enc_bytes *value, uint32_t view,
                                       struct enc_bytes key);

/** Key and value are copied. key as in enc_put_row. Errors: TOO_LARGE (arena) */
ENC_MUST_USE enum enc_err enc_rows_put(struct enc_rows *rows, uint32_t view, struct enc_bytes key,
                                       struct enc_bytes value);
ENC_MUST_USE enum enc_err enc_rows_del(struct enc_rows *rows, uint32_t view, struct enc_bytes key);

/** Add 1 or -1 to a number that counts rows; there is no row of one that is 0. Errors: INTERNAL
 * (also: below 0), TOO_LARGE (arena) */
ENC_MUST_USE enum enc_err enc_rows_count(struct enc_rows *rows, uint32_t view, struct enc_bytes key,
                                         int by);

/** Such a number in a snapshot. Errors: INTERNAL */
ENC_MUST_USE enum enc_err enc_count_find(uint64_t *number, struct enc_snap *snap,
                                         struct enc_view view, struct enc_bytes key);

/** A row under ord 0; runs do not see them before they are durable. Errors: TOO_LARGE (arena) */
ENC_MUST_USE enum enc_err enc_rows_put_shared(struct enc_rows *rows, enum enc_shared_view view,
                                              struct enc_bytes key, struct enc_bytes value);
