/**
 * An enclave that another node has sequenced comes here: its log is replayed from the first event
 * on, everything in it checked, and only when all of it has held is it written, in one transaction.
 * Offline: nobody else writes the store. One owner; blocks.
 *
 *     enc_import_init, enc_import_event ..., enc_import_finish, enc_import_fini
 */
#pragma once

#include "proto/replay.h"
#include "services/rows.h"
#include "services/tree.h"

struct enc_import_config {
    const struct enc_curve *curve;
    const struct enc_chunk_source *chunks;
    size_t memory_max;
    const struct enc_key *node; /* who goes on; the last event must be a Migrate to it */
    uint64_t now_ms;
    unsigned service;            /* that sequences it from here on */
    const uint8_t *enclave32;    /* NULL: the one that the Manifest makes */
    const struct enc_sth *heads; /* that must be met, ascending by ts */
    size_t head_count;
};

/** An endpoint that the log has registered. */
struct enc_import_endpoint {
    struct enc_import_endpoint *next;
    uint8_t identity32[32];
    uint8_t url16[16];
};

/** Read replay and flaw, leave the rest. */
struct enc_import {
    struct enc_import_config config;
    struct enc_store *store; /* where it will lie; known with the Manifest */
    struct enc_data *data;
    struct enc_snap *snap;
    struct enc_arena arena; /* of the write set */
    struct enc_arena page;  /* of one event */
    struct enc_writeset set;
    struct enc_rows rows;
    struct enc_tree_sink sink;
    struct enc_replay replay;
    struct enc_import_endpoint *endpoints;
    uint64_t ord;
    uint64_t closed_ms; /* of the newest bundle */
    const char *flaw;   /* why it is refused, beyond replay.verdict; static text; NULL: nothing */
};

/** Begin. What config points to must outlive the import. */
void enc_import_init(struct enc_import *import, struct enc_data *data,
                     const struct enc_import_config *config);

/**
 * The next event; nothing of it is borrowed. Of erased content the hash must be in
 * content_hash32. False: flaw says why, for ever; when it is NULL, replay.verdict does.
 */
ENC_MUST_USE bool enc_import_event(struct enc_import *import, struct enc_event *event);

/**
 * That was all: check the whole, take it over, write it. False as above, and nothing was written.
 *
 * Source: protocol.md 12
 */
ENC_MUST_USE bool enc_import_finish(struct enc_import *import);

void enc_import_fini(struct enc_import *import);
