#include "services/manifests.h"

#include <stdatomic.h>
#include <stdlib.h>

enum {
    ENTRIES = 1024,          /* a power of two */
    KEPT_LEN_MAX = 64 << 10, /* of one, parsed; so the cache takes 64 MiB at most */
    HELD_LEN_MAX = 64 << 20,
};

struct enc_held_manifest {
    _Atomic uint32_t refs;
    uint8_t enclave32[32];
    struct enc_arena arena; /* of everything it points to */
    struct enc_manifest manifest;
};

struct entry {
    atomic_flag taken;
    struct enc_held_manifest *held; /* under taken */
};

struct enc_manifests {
    const struct enc_chunk_source *chunks;
    struct entry entries[ENTRIES];
};

struct enc_manifests *enc_manifests_new(const struct enc_chunk_source *chunks)
{
    struct enc_manifests *manifests = (struct enc_manifests *)calloc(1, sizeof *manifests);
    if (!manifests)
        return NULL;
    manifests->chunks = chunks;
    for (size_t i = 0; i < ENTRIES; i++)
        atomic_flag_clear(&manifests->entries[i].taken);
    return manifests;
}

void enc_manifests_free(struct enc_manifests *manifests)
{
    for (size_t i = 0; manifests && i < ENTRIES; i++)
        enc_held_manifest_drop(manifests->entries[i].held);
    free(manifests);
}

const struct enc_manifest *enc_held_manifest(const struct enc_held_manifest *held)
{
    return &held->manifest;
}

static void hold(struct enc_held_manifest *held)
{
    /* relaxed: who holds it got it with everything in it */
    atomic_fetch_add_explicit(&held->refs, 1, memory_order_relaxed);
}

void enc_held_manifest_drop(struct enc_held_manifest *held)
{
    /* acq_rel: all reading of it comes before the one that frees it */
    if (!held || atomic_fetch_sub_explicit(&held->refs, 1, memory_order_acq_rel) != 1)
        return;
    enc_arena_fini(&held->arena);
    free(held);
}

/* ---- entries ---- */

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

static struct entry *entry_of(struct enc_manifests *manifests, const uint8_t enclave32[32])
{
    return &manifests->entries[enc_be32_get(enclave32) % ENTRIES];
}

struct enc_held_manifest *enc_manifests_find(struct enc_manifests *manifests,
                                             const uint8_t enclave32[32])
{
    struct entry *entry = entry_of(manifests, enclave32);
    if (!take(entry))
        return NULL;
    struct enc_held_manifest *held = entry->held;
    if (held && memcmp(held->enclave32, enclave32, 32) != 0)
        held = NULL;
    if (held)
        hold(held);
    give(entry);
    return held;
}

static void keep(struct entry *entry, struct enc_held_manifest *held)
{
    if (held->arena.used_len > KEPT_LEN_MAX || !take(entry))
        return;
    struct enc_held_manifest *before = entry->held;
    hold(held);
    entry->held = held;
    give(entry);
    enc_held_manifest_drop(before);
}

/* ---- parsing ---- */

static enum enc_err parse(struct enc_held_manifest *held, const struct enc_chunk_source *chunks,
                          struct enc_bytes content)
{
    struct enc_arena scratch;
    enc_arena_init(&scratch, chunks, HELD_LEN_MAX);
    struct enc_bytes copy = enc_arena_copy(&held->arena, content);
    enum enc_err err = copy.data ? ENC_ERR_OK : ENC_ERR_TOO_LARGE;
    if (err == ENC_ERR_OK)
        err = enc_manifest_parse(&held->manifest, &held->arena, &scratch, copy, NULL);
    enc_arena_fini(&scratch);
    return err;
}

enum enc_err enc_manifests_add(struct enc_manifests *manifests, struct enc_held_manifest **out,
                               const uint8_t enclave32[32], struct enc_bytes content)
{
    struct enc_held_manifest *held = (struct enc_held_manifest *)calloc(1, sizeof *held);
    if (!held)
        return ENC_ERR_BUSY;
    atomic_init(&held->refs, 1);
    memcpy(held->enclave32, enclave32, 32);
    enc_arena_init(&held->arena, manifests->chunks, HELD_LEN_MAX);
    enum enc_err err = parse(held, manifests->chunks, content);
    if (err != ENC_ERR_OK) {
        enc_held_manifest_drop(held);
        return err;
    }
    keep(entry_of(manifests, enclave32), held);
    *out = held;
    return ENC_ERR_OK;
}
