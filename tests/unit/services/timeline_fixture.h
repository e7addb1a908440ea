/** Timelines in a rig, and events that are folded into rows without a log: no signatures. */
#pragma once

#include "host_fixture.h"
#include "services/dataview.h"

/** A rig whose requests go to the timeline. */
void timeline_open(struct rig *rig, uint64_t seed);

/** The Manifest's content with these owners, "\"<hex>\",...". */
const char *timeline_manifest(struct rig *rig, const char *owners);

/** An enclave of OWNER; its id. */
const uint8_t *timeline_create(struct rig *rig);

/** GET below an enclave; the answer must be 200. */
const struct enc_json *timeline_get(struct rig *rig, const uint8_t enclave32[32],
                                    const char *action);

/** Element i of an array member. */
const struct enc_json *json_at(const struct enc_json *object, const char *name, size_t index);

/** An event to fold. */
struct folded {
    const uint8_t *enclave32;
    const uint8_t *from32;
    const uint8_t *target32; /* of an Update or Delete */
    const char *type;
    const char *content;
    uint64_t seq;
    uint64_t timestamp_ms;
    uint8_t id32[32]; /* filled in: of enclave and seq */
};

/** Rows of one ord of a store, changed event by event, durable with fold_apply. */
struct fold {
    struct enc_store *store;
    const struct enc_chunk_source *chunks;
    struct enc_arena arena;
    struct enc_snap *snap;
    struct enc_writeset set;
    struct enc_rows rows;
    uint64_t ord;
    uint8_t own32[32];
};

void fold_begin(struct fold *fold, struct rig *rig, const uint8_t own32[32], uint64_t ord);
void fold_event(struct fold *fold, struct folded *event);
void fold_apply(struct fold *fold);

/** The ord of an enclave of the rig. */
uint64_t ord_of(struct rig *rig, const uint8_t enclave32[32]);

/** All rows of an ord from view first on, as one text of lengths, keys and values, and their
 * number. Lives in the rig. */
struct enc_bytes rows_of(struct rig *rig, uint64_t ord, uint32_t first, size_t *count);
