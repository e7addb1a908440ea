/** The parts of a commit alone, one row each. Bench only; one thread. */
#pragma once

#include "proto/event.h"

#include <stdlib.h>

enum { MICRO_ARENA_LEN = 1 << 20 };

/** What the rows work with, the same in every run. */
struct micro {
    struct enc_curve *curve;
    struct enc_key key;
    uint8_t *memory;
    struct enc_bytes json; /* of a signed commit */
    struct enc_commit commit;
    struct enc_event event;
    struct enc_bytes record; /* of the event */
    struct micro_tree *tree; /* made by prepare */
    struct micro_store *store;
    const char *dir;
    uint8_t sink[32]; /* results end here, so that none is left out */
};

/** A row: run does its work count times. */
struct micro_row {
    const char *name;
    void (*run)(struct micro *micro, size_t count);
    size_t count;      /* for a measurement of about a quarter second */
    size_t gate_count; /* under callgrind; 0: not there */
    void (*prepare)(struct micro *micro, size_t leaves); /* NULL: nothing */
    size_t leaves;
};

/** Memory of one operation, over and over the same. */
struct enc_arena micro_arena(struct micro *micro);

/** Run a row; nanoseconds. Callgrind counts inside this function only. */
uint64_t micro_measured(const struct micro_row *row, struct micro *micro, size_t count);

/* micro_proto.c */
void micro_init(struct micro *micro);
void micro_verify(struct micro *micro, size_t count);
void micro_verify_lifted(struct micro *micro, size_t count);
void micro_sign(struct micro *micro, size_t count);
void micro_pair(struct micro *micro, size_t count);
void micro_sha_600(struct micro *micro, size_t count);
void micro_parse(struct micro *micro, size_t count);
void micro_decode(struct micro *micro, size_t count);
void micro_hash(struct micro *micro, size_t count);
void micro_receipt(struct micro *micro, size_t count);
void micro_seal(struct micro *micro, size_t count);
void micro_encode(struct micro *micro, size_t count);
void micro_take(struct micro *micro, size_t count);

/* micro_tree.c */
void micro_tree_make(struct micro *micro, size_t leaves);
void micro_tree_update(struct micro *micro, size_t count);
void micro_tree_prove(struct micro *micro, size_t count);

/* micro_store.c */
void micro_mailbox(struct micro *micro, size_t count);
void micro_store_open(struct micro *micro, size_t sync);
void micro_store_fill(struct micro *micro, size_t unused);
void micro_store_close(struct micro *micro);
void micro_store_batch(struct micro *micro, size_t count);
void micro_store_read(struct micro *micro, size_t count);
