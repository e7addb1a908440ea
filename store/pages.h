/**
 * The pages of a shard's file, read as they lie there and not through the engine, which trusts
 * them: whether they are trees as the engine makes them, whether each page belongs to one of them
 * or is free. What was found sound here the engine can open and read without harm; what the rows
 * in the pages say is verify.h's.
 *
 * Not told, because nothing depends on it: free pages and the free room within pages, the page of
 * the transaction before the last, separators that still separate.
 */
#pragma once

#include "store/data.h"

/** One thing that is wrong. Borrowed for the length of the call. */
struct enc_page_flaw {
    uint32_t shard;
    uint64_t page;
    const char *tree; /* name of the table, "free" for the list of free pages, "" for neither */
    const char *what; /* a sentence's end, such as "has another number" */
};

typedef void enc_page_found(void *opaque, const struct enc_page_flaw *flaw);

/**
 * Check every shard of dir, which nobody has open; changes nothing. The first flaw of a tree ends
 * the walk below it.
 *
 * Returns: number of flaws in *flaw_count
 * Errors:  LOCKED, ACCESS, DIRECTORY, DAMAGED (not a data directory), ENGINE (a file cannot be
 *          read)
 */
ENC_MUST_USE enum enc_store_fault enc_data_check_pages(struct enc_store_note *note,
                                                       uint64_t *flaw_count, const char *dir,
                                                       enc_page_found *found, void *opaque);
