/**
 * Substring search over documents: rows of a DataView that its mappers write and its reads walk.
 * Documents have running numbers. The newest of them are the open block: their texts are looked
 * through. When a document does not fit into it (1,024 documents, 64 KiB of folded text) the open
 * block becomes one row that knows which documents hold which three bytes (proto/grams.h).
 *
 *     write   two rows; the document that finds the open block full builds a row of its texts, in
 *             some milliseconds, which is some microseconds for each document
 *     read    the open block: at most 1,024 rows of together 64 KiB; then, block by block, some
 *             binary searches per three bytes of the query and a row per candidate. A phrase that
 *             is nowhere costs the binary searches in all blocks, of which there is one per 64 KiB
 *             of text. A frequent one ends with the block in which the limit is reached. The worst
 *             is one that is nowhere, though all its grams are in every text: it looks at all
 */
#pragma once

#include "proto/grams.h"
#include "services/rows.h"

enum {
    ENC_SEARCH_VIEWS = 3, /* a search's own: the state, documents, blocks, from its view on */
    ENC_SEARCH_NAME_LEN_MAX = 255,
};

struct enc_document {
    struct enc_bytes name; /* what a search hands out, at most ENC_SEARCH_NAME_LEN_MAX bytes */
    struct enc_bytes text; /* UTF-8 */
};

/** Add a document; its number is greater than those before. Errors: INTERNAL, TOO_LARGE (arena) */
ENC_MUST_USE enum enc_err enc_search_add(struct enc_rows *rows, uint64_t *number,
                                         struct enc_arena *arena, uint32_t view,
                                         const struct enc_document *document);

/** The document is found no more. Errors: TOO_LARGE (arena) */
ENC_MUST_USE enum enc_err enc_search_drop(struct enc_rows *rows, uint32_t view, uint64_t number);

/** A walk over the documents that hold a text, newest first. Treat the members as private. */
struct enc_search {
    struct enc_snap *snap;
    struct enc_view view;
    struct enc_bytes query; /* folded */
    struct enc_scan scan;   /* of the open block's documents, then of blocks */
    uint64_t open_first;    /* number of the open block's first document */
    bool in_blocks;
    uint64_t block_first;
    size_t left; /* candidates of the block that were not looked at */
    struct enc_grams_docs candidates;
    enum enc_err err;
};

/** The query is UTF-8, not empty. Lives in arena. Ends with fini. Errors: INTERNAL, TOO_LARGE */
ENC_MUST_USE enum enc_err enc_search_begin(struct enc_search *search, struct enc_arena *arena,
                                           struct enc_snap *snap, struct enc_view view,
                                           struct enc_bytes query);

/** The name of the next document; false at the end and after a failure. */
ENC_MUST_USE bool enc_search_next(struct enc_search *search, struct enc_bytes *name);

/** Errors: INTERNAL when a step failed */
ENC_MUST_USE enum enc_err enc_search_fini(struct enc_search *search);
