/**
 * Where the event of an id stands: rows of short entries, one an event, that are merged as they
 * become many, so that new entries never go to random places. Free of the engine's types; what an
 * apply does with them is in apply_ids.c. Not for outsiders.
 *
 * A row covers the events from its first seq up to the row before it: newest rows stand first. Rows
 * of ENC_IDS_FEW and less are in the order of their events, larger ones in that of the entries.
 * Four neighbours of one size become one, up to ENC_IDS_MOST, which are one block.
 */
#pragma once

#include "store/key.h"

enum {
    ENC_IDS_FEW = 64,
    ENC_IDS_MOST = 1 << 18,
    ENC_IDS_MERGED = 4, /* rows that become one */
    ENC_ID_ENTRY_LEN = 8,
};

/** An entry: the first 46 bits of the id, and the last 18 of the seq. */
uint64_t enc_id_entry(const uint8_t id32[32], uint64_t seq);

/** The seq that an entry names, in a row that begins with first_seq. */
uint64_t enc_id_entry_seq(uint64_t entry, uint64_t first_seq);

/** The key of the row that begins with first_seq. */
void enc_ids_key(struct enc_row_key *key, uint64_t ord, uint64_t first_seq);
uint64_t enc_ids_first_seq(struct enc_bytes key);

/** The first entry at or behind place `from` of a row that may be of this id; the count if none. */
size_t enc_ids_find(struct enc_bytes row, const uint8_t id32[32], size_t from);

size_t enc_ids_count(struct enc_bytes row);
uint64_t enc_ids_at(struct enc_bytes row, size_t at);

/**
 * One row out of four of the same length: out becomes the bytes of the row, as long as they are
 * together; scratch has the same length.
 */
void enc_ids_merge(uint64_t *out, uint64_t *scratch, const struct enc_bytes rows[ENC_IDS_MERGED]);
