/** Events as a reader may see them: status, hidden content, R (protocol.md 5.6, 8.4, 16.31, 16.40).
 */
#pragma once

#include "proto/filter.h"
#include "proto/rbac.h"
#include "store/store.h"

/** Who looks at which enclave. All pointers are borrowed. */
struct enc_viewer {
    struct enc_snap *snap;
    uint64_t ord;
    const struct enc_manifest *manifest;
    const struct enc_reader *reader;
    const struct enc_roles *roles; /* the reader's */
};

enum { ENC_SHOWN_SCRATCH_LEN = 2 * (ENC_TAG_COUNT_MAX * 16 + ENC_TAG_COUNT_MAX * 8 * 16 + 2048) };

/** One event; views into the snapshot and into scratch, so it must not be moved. */
struct enc_shown {
    struct enc_event event;
    struct enc_event target; /* of an Update or Delete, when has_target */
    bool has_target;
    bool is_readable;
    struct enc_element element;
    _Alignas(16) uint8_t scratch[ENC_SHOWN_SCRATCH_LEN];
};

/** Read a record with all that decides its look. Errors: INTERNAL */
ENC_MUST_USE enum enc_err enc_shown_load(struct enc_shown *out, const struct enc_viewer *viewer,
                                         struct enc_bytes record);

/** The same by seq. Errors: EVENT_NOT_FOUND, INTERNAL */
ENC_MUST_USE enum enc_err enc_shown_at(struct enc_shown *out, const struct enc_viewer *viewer,
                                       uint64_t seq);

/** What a walk does with a match; false ends the walk. */
typedef bool enc_shown_fn(void *opaque, const struct enc_shown *shown);

/**
 * Walk over the readable events that match filter, in its direction, by the cheapest index: ids, a
 * single type, or the log. limit is not looked at. Errors: INTERNAL, TOO_LARGE (arena, for a list
 * of ids)
 */
ENC_MUST_USE enum enc_err enc_shown_walk(const struct enc_viewer *viewer,
                                         const struct enc_filter *filter, struct enc_arena *arena,
                                         enc_shown_fn *fn, void *opaque);
