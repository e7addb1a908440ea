#include "services/heads.h"

#include <stdatomic.h>
#include <stdlib.h>

enum { ENTRIES = 1024 }; /* a power of two; a sixth of a megabyte */

struct entry {
    atomic_flag taken;
    bool is_filled; /* from here on under taken */
    uint8_t enclave32[32];
    struct enc_sth sth;
};

struct enc_heads {
    struct entry entries[ENTRIES];
};

struct enc_heads *enc_heads_new(void)
{
    struct enc_heads *heads = (struct enc_heads *)calloc(1, sizeof *heads);
    for (size_t i = 0; heads && i < ENTRIES; i++)
        atomic_flag_clear(&heads->entries[i].taken);
    return heads;
}

void enc_heads_free(struct enc_heads *heads)
{
    free(heads);
}

static bool take(struct entry *entry)
{
    /* acquire: what the one before left in the entry */
    return !atomic_flag_test_and_set_explicit(&entry->taken, memory_order_acquire);
}

static void give(struct entry *entry)
{
    /* release: what is in the entry, for the next one */
    atomic_flag_clear_explicit(&entry->taken, memory_order_release);
}

static struct entry *entry_of(struct enc_heads *heads, const uint8_t enclave32[32])
{
    return &heads->entries[enc_be32_get(enclave32) % ENTRIES];
}

static bool is_same(const struct entry *entry, const struct enc_sth *sth,
                    const uint8_t enclave32[32])
{
    return memcmp(entry->enclave32, enclave32, 32) == 0 && entry->sth.ts == sth->ts &&
           memcmp(entry->sth.r32, sth->r32, 32) == 0;
}

bool enc_heads_find(struct enc_heads *heads, struct enc_sth *sth, const uint8_t enclave32[32])
{
    struct entry *entry = entry_of(heads, enclave32);
    if (!take(entry))
        return false;
    bool is_kept = entry->is_filled && is_same(entry, sth, enclave32);
    if (is_kept)
        *sth = entry->sth;
    give(entry);
    return is_kept;
}

void enc_heads_keep(struct enc_heads *heads, const struct enc_sth *sth, const uint8_t enclave32[32])
{
    struct entry *entry = entry_of(heads, enclave32);
    if (!take(entry))
        return;
    memcpy(entry->enclave32, enclave32, 32);
    entry->sth = *sth;
    entry->is_filled = true;
    give(entry);
}
