#include "net/origin.h"

#include "net/process.h"

#include <stdlib.h>
#include <uv.h>

enum { CHAINS = 4096 };

struct entry {
    struct entry *next;
    uint8_t bucket16[16];
    uint64_t counts[ENC_ORIGIN_KINDS];
};

struct enc_origins {
    uv_mutex_t lock; /* over chains and their entries */
    uint64_t max[ENC_ORIGIN_KINDS];
    uint64_t seed; /* against addresses chosen to share one chain */
    struct entry *chains[CHAINS];
};

struct enc_origins *enc_origins_new(const uint64_t max_per_bucket[ENC_ORIGIN_KINDS])
{
    struct enc_origins *origins = calloc(1, sizeof *origins);
    ENC_CHECK(origins != NULL && uv_mutex_init(&origins->lock) == 0);
    memcpy(origins->max, max_per_bucket, sizeof origins->max);
    enc_process_random((uint8_t *)&origins->seed, sizeof origins->seed);
    return origins;
}

static void free_chain(struct entry *entry)
{
    while (entry) {
        struct entry *next = entry->next;
        free(entry);
        entry = next;
    }
}

void enc_origins_free(struct enc_origins *origins)
{
    for (size_t i = 0; i < CHAINS; i++)
        free_chain(origins->chains[i]);
    uv_mutex_destroy(&origins->lock);
    free(origins);
}

/* The link that points to the bucket's entry, or to NULL at the end of its chain. */
static struct entry **find(struct enc_origins *origins, const uint8_t bucket16[16])
{
    uint64_t halves[2];
    memcpy(halves, bucket16, sizeof halves);
    uint64_t hash = (halves[0] ^ origins->seed) * 0x9e3779b97f4a7c15U;
    hash = (hash ^ halves[1] ^ hash >> 29) * 0xbf58476d1ce4e5b9U;
    struct entry **link = &origins->chains[hash >> 52];
    while (*link && memcmp((*link)->bucket16, bucket16, 16) != 0)
        link = &(*link)->next;
    return link;
}

static struct entry *obtain(struct enc_origins *origins, const uint8_t bucket16[16])
{
    struct entry **link = find(origins, bucket16);
    if (!*link) {
        *link = calloc(1, sizeof **link);
        ENC_CHECK(*link != NULL);
        memcpy((*link)->bucket16, bucket16, 16);
    }
    return *link;
}

static bool is_unused(const struct entry *entry)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < ENC_ORIGIN_KINDS; i++)
        sum += entry->counts[i];
    return sum == 0;
}

static void drop_unused(struct enc_origins *origins, const uint8_t bucket16[16])
{
    struct entry **link = find(origins, bucket16);
    struct entry *entry = *link;
    ENC_CHECK(entry != NULL);
    if (is_unused(entry)) {
        *link = entry->next;
        free(entry);
    }
}

void enc_origins_bound(struct enc_origins *origins, const uint64_t max_per_bucket[ENC_ORIGIN_KINDS])
{
    uv_mutex_lock(&origins->lock);
    memcpy(origins->max, max_per_bucket, sizeof origins->max);
    uv_mutex_unlock(&origins->lock);
}

bool enc_origins_take(struct enc_origins *origins, const uint8_t bucket16[16],
                      enum enc_origin_kind kind)
{
    uv_mutex_lock(&origins->lock);
    struct entry *entry = obtain(origins, bucket16);
    bool has_room = entry->counts[kind] < origins->max[kind];
    entry->counts[kind] += has_room;
    uv_mutex_unlock(&origins->lock);
    return has_room;
}

void enc_origins_give(struct enc_origins *origins, const uint8_t bucket16[16],
                      enum enc_origin_kind kind)
{
    uv_mutex_lock(&origins->lock);
    struct entry *entry = *find(origins, bucket16);
    ENC_CHECK(entry && entry->counts[kind] > 0);
    entry->counts[kind]--;
    drop_unused(origins, bucket16);
    uv_mutex_unlock(&origins->lock);
}
