#include "services/points.h"

#include <stdatomic.h>
#include <stdlib.h>

enum { ENTRIES = 4096 }; /* a power of two; half a megabyte */

struct entry {
    atomic_flag taken;
    bool is_filled; /* from here on under taken */
    uint8_t pub32[32];
    struct enc_point point;
};

struct enc_points {
    struct entry entries[ENTRIES];
};

struct enc_points *enc_points_new(void)
{
    struct enc_points *points = (struct enc_points *)calloc(1, sizeof *points);
    for (size_t i = 0; points && i < ENTRIES; i++)
        atomic_flag_clear(&points->entries[i].taken);
    return points;
}

void enc_points_free(struct enc_points *points)
{
    free(points);
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

/* A key is a curve point, so any of its bytes will do; who grinds keys to share an entry gains no
 * more than to be looked up as if there were no cache. */
static struct entry *entry_of(struct enc_points *points, const uint8_t pub32[32])
{
    return &points->entries[enc_be32_get(pub32 + 28) % ENTRIES];
}

static bool find(struct entry *entry, struct enc_point *out, const uint8_t pub32[32])
{
    if (!take(entry))
        return false;
    bool is_known = entry->is_filled && memcmp(entry->pub32, pub32, 32) == 0;
    if (is_known)
        *out = entry->point;
    give(entry);
    return is_known;
}

static void keep(struct entry *entry, const struct enc_point *point, const uint8_t pub32[32])
{
    if (!take(entry))
        return;
    memcpy(entry->pub32, pub32, 32);
    entry->point = *point;
    entry->is_filled = true;
    give(entry);
}

bool enc_points_lift(struct enc_points *points, struct enc_point *out, const uint8_t pub32[32])
{
    struct entry *entry = entry_of(points, pub32);
    if (find(entry, out, pub32))
        return true;
    if (!enc_point_lift(out, pub32))
        return false;
    keep(entry, out, pub32);
    return true;
}
