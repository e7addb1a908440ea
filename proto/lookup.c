#include "proto/lookup.h"

enum { CAP_MIN = 64 };

/* The slot that holds the key, or the free one where it belongs. Never full, so this ends. */
static struct enc_lookup_slot *slot_of(const struct enc_lookup *lookup, const uint8_t key32[32])
{
    size_t at = (size_t)enc_be64_get(key32);
    for (;; at++) {
        struct enc_lookup_slot *slot = &lookup->slots[at & (lookup->cap - 1)];
        if (!slot->key32 || memcmp(slot->key32, key32, 32) == 0)
            return slot;
    }
}

void *enc_lookup_find(const struct enc_lookup *lookup, const uint8_t key32[32])
{
    return lookup->count ? slot_of(lookup, key32)->value : NULL;
}

/* At most three quarters full. The old slots stay in the arena: no more than the new ones. */
static enum enc_err make_room(struct enc_lookup *lookup)
{
    if (lookup->count < lookup->cap / 4 * 3)
        return ENC_ERR_OK;
    struct enc_lookup wider = *lookup;
    wider.cap = lookup->cap ? 2 * lookup->cap : CAP_MIN;
    wider.slots = ENC_ARENA_NEW(lookup->arena, struct enc_lookup_slot, wider.cap);
    if (!wider.slots)
        return ENC_ERR_TOO_LARGE;
    for (size_t i = 0; i < lookup->cap; i++)
        if (lookup->slots[i].key32)
            *slot_of(&wider, lookup->slots[i].key32) = lookup->slots[i];
    *lookup = wider;
    return ENC_ERR_OK;
}

enum enc_err enc_lookup_add(struct enc_lookup *lookup, const uint8_t *key32, void *value)
{
    ENC_TRY(make_room(lookup));
    struct enc_lookup_slot *slot = slot_of(lookup, key32);
    ENC_CHECK(!slot->key32 && value);
    *slot = (struct enc_lookup_slot){.key32 = key32, .value = value};
    lookup->count++;
    return ENC_ERR_OK;
}
