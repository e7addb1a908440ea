/**
 * The data directory: who may open it, what it must say of itself, and the shards in it.
 *
 *     DIR/lock            flock of the one process that has it open; holds its process id
 *     DIR/version         text: format number and shard count, written last at creation
 *     DIR/held            text: why no node may sequence on it; mostly absent
 *     DIR/shard-<n>/      one engine environment per shard
 *
 * Source: server.md (first start, durability), protocol.md 11.1
 */
#pragma once

#include "proto/base/bytes.h"
#include "proto/base/check.h"

/**
 * Why a data directory was refused. The wire's catalogue knows none of these: they end the start of
 * a process.
 */
enum enc_store_fault {
    ENC_STORE_FAULT_NONE,
    ENC_STORE_FAULT_DIRECTORY, /* cannot be made, entered, read or written */
    ENC_STORE_FAULT_ACCESS,    /* owned by somebody else, or open to others than its owner */
    ENC_STORE_FAULT_LOCKED,    /* another process has it open */
    ENC_STORE_FAULT_FORMAT,    /* made by a version we do not know, or its version file is odd */
    ENC_STORE_FAULT_SHARDS,    /* another shard count was asked for than it was made with */
    ENC_STORE_FAULT_NODE,      /* made by a node with another key */
    ENC_STORE_FAULT_DAMAGED,   /* a shard is missing, misplaced or does not say what it is */
    ENC_STORE_FAULT_HELD,      /* a file in it says that no node may sequence on it: mark.h */
    ENC_STORE_FAULT_ENGINE,    /* the engine refused: memory, map length, disk */
};

/** One line for people: what is wrong and with which file. Empty when nothing is. */
struct enc_store_note {
    char text[512];
};

struct enc_data_config {
    const char *dir;
    const uint8_t *node_pub32; /* this node's sequencer key; recorded when the directory is made */
    uint64_t map_len;          /* address space per shard; 0 = 1 TiB, or less if that fails */
    uint32_t shard_count;      /* 0 = as recorded, 1 for a new directory */
    uint32_t reader_max;       /* snapshots open at once, per shard; 0 = 126 */
    bool opens_held;           /* although a mark holds it: whoever sets this takes no commits */
    bool sync;                 /* false: durability "os", survives the process but not the power */
};

struct enc_data;  /* an open data directory */
struct enc_store; /* one shard of it */

/**
 * Make dir (mode 0700, one level) unless it exists, and check that it is ours alone. For whoever
 * must put a file there before the store is opened; enc_data_open does the same.
 *
 * Errors: DIRECTORY, ACCESS
 */
ENC_MUST_USE enum enc_store_fault enc_data_make_dir(const char *dir, struct enc_store_note *note);

/**
 * Open the data directory, making what a new one needs, and raise the fence of every shard: a
 * process that still believes it owns the directory is refused by enc_store_apply from here on.
 * Blocks. Once per process and directory; not across fork.
 *
 * Returns: NONE and *out, to be closed; or why not, with the note filled and *out NULL
 */
ENC_MUST_USE enum enc_store_fault enc_data_open(struct enc_data **out, struct enc_store_note *note,
                                                const struct enc_data_config *config);

/**
 * Flush, close and unlock. All snapshots must be closed and no apply under way (checked). NULL is
 * allowed.
 */
void enc_data_close(struct enc_data *data);

/** Number of shards. Any thread. */
uint32_t enc_data_shard_count(const struct enc_data *data);

/**
 * The shard of an enclave: its id's first 8 bytes modulo the shard count. Any thread; lives as long
 * as data.
 */
struct enc_store *enc_data_shard(struct enc_data *data, const uint8_t enclave32[32]);

/** Shard number index, below the count (checked). Any thread. */
struct enc_store *enc_data_shard_at(struct enc_data *data, uint32_t index);
