/**
 * Blocks of a substring index: which documents of a batch may hold a text. A block knows every
 * three bytes in a row (a gram) of its documents' folded texts and, for each, the documents that
 * have it. A search asks block by block and looks for the query itself in the documents it is
 * given. Pure; any thread.
 *
 *     be32 gram_count  be32 doc_count
 *     gram_count * { be32 gram, be32 end }   ascending; its postings: [end of the one before, end)
 *     postings: be16 document each, ascending within a gram
 *
 * Every byte of a text starts a gram; behind the end of the text there are zeros. So a query of one
 * or two bytes is a range of the directory. Equal documents make equal blocks.
 */
#pragma once

#include "proto/base/arena.h"

enum { ENC_GRAMS_DOCS_MAX = 1024, ENC_GRAMS_TEXT_MAX = 64 << 10, ENC_GRAMS_DOC_LEN_MAX = 64 << 20 };

/** A block in the making. */
struct enc_grams {
    struct enc_arena *arena;
    struct enc_bytes *texts;
    size_t count;
    size_t text_len; /* of all texts */
};

/** Numbers of documents, ascending. */
struct enc_grams_docs {
    size_t count;
    uint16_t docs[ENC_GRAMS_DOCS_MAX];
};

/** A block without documents. Errors: TOO_LARGE (arena: 16 KiB) */
ENC_MUST_USE enum enc_err enc_grams_begin(struct enc_grams *out, struct enc_arena *arena);

/**
 * The next document; the first is number 0. Its text must outlive enc_grams_finish and have at most
 * ENC_GRAMS_DOC_LEN_MAX bytes. False: the block is full, the document belongs to the next one. A
 * block has at most ENC_GRAMS_DOCS_MAX documents of together ENC_GRAMS_TEXT_MAX bytes; an empty
 * one takes a document of any length.
 */
ENC_MUST_USE bool enc_grams_add(struct enc_grams *grams, struct enc_bytes folded_text);

/**
 * The bytes of the block, in the arena. Takes scratch from it too: 32 KiB, and 8 bytes for each
 * byte of text.
 * Errors: TOO_LARGE (arena)
 */
ENC_MUST_USE enum enc_err enc_grams_finish(struct enc_bytes *out, const struct enc_grams *grams);

/** Read a whole block as strictly as it is written. Errors: INTERNAL (the store is damaged) */
ENC_MUST_USE enum enc_err enc_grams_check(struct enc_bytes block);

/**
 * The documents that have every gram of the query: all that contain it, and few others. For a query
 * of up to three bytes, none of them zero, exactly those that contain it; for the empty one, all.
 * Only what the answer depends on is read and checked; no damage leads out of the block.
 *
 * Errors: INTERNAL (the store is damaged)
 * Source: protocol.md 11.5
 */
ENC_MUST_USE enum enc_err enc_grams_find(struct enc_grams_docs *out, struct enc_bytes block,
                                         struct enc_bytes folded_query);
