#include "proto/manifest_part.h"

/** Entries as they are named, one per identity and role. */
struct entries {
    struct enc_member *items;
    size_t count;
};

static enum enc_err refuse_unless(bool good)
{
    return good ? ENC_ERR_OK : ENC_ERR_INVALID_MANIFEST;
}

static bool count_entries(size_t *count, const struct enc_json *initial_state)
{
    for (const struct enc_json *role = initial_state->child; role; role = role->next) {
        if (role->kind != ENC_JSON_ARRAY)
            return false;
        *count += role->count;
    }
    return true;
}

static bool add_role(struct entries *entries, unsigned bit, const struct enc_json *identities)
{
    for (const struct enc_json *child = identities->child; child; child = child->next) {
        struct enc_member *entry = &entries->items[entries->count++];
        enc_roles_add(&entry->roles, bit);
        if (!enc_json_hex(child, entry->identity32, 32))
            return false;
    }
    return true;
}

static bool add_all(struct entries *entries, const struct enc_manifest *manifest,
                    const struct enc_json *initial_state)
{
    for (const struct enc_json *role = initial_state->child; role; role = role->next) {
        int bit = enc_manifest_role_bit(manifest, role->key);
        if (bit < 0 || !add_role(entries, (unsigned)bit, role))
            return false;
    }
    return true;
}

static bool is_before(const struct enc_member *a, const struct enc_member *b)
{
    return memcmp(a->identity32, b->identity32, 32) < 0;
}

/** Merge the sorted stretches [start, middle) and [middle, end) of from into to. */
static void merge(struct enc_member *to, const struct enc_member *from, const size_t bounds[3])
{
    size_t left = bounds[0], right = bounds[1];
    for (size_t at = bounds[0]; at < bounds[2]; at++) {
        bool takes_right =
            left == bounds[1] || (right < bounds[2] && is_before(&from[right], &from[left]));
        to[at] = from[takes_right ? right++ : left++];
    }
}

static size_t at_most(size_t value, size_t bound)
{
    return value < bound ? value : bound;
}

/** Sort by identity, using spare (as long as entries); entries->items may end up being spare. */
static void sort(struct entries *entries, struct enc_member *spare)
{
    for (size_t width = 1; width < entries->count; width *= 2) {
        struct enc_member *from = entries->items;
        for (size_t start = 0; start < entries->count; start += 2 * width)
            merge(spare, from,
                  (size_t[]){start, at_most(start + width, entries->count),
                             at_most(start + 2 * width, entries->count)});
        entries->items = spare;
        spare = from;
    }
}

/** Join neighbours of one identity. */
static void unite(struct entries *entries)
{
    size_t kept = 0;
    for (size_t i = 0; i < entries->count; i++) {
        struct enc_member *entry = &entries->items[i];
        if (kept && memcmp(entries->items[kept - 1].identity32, entry->identity32, 32) == 0)
            enc_roles_unite(&entries->items[kept - 1].roles, &entry->roles);
        else
            entries->items[kept++] = *entry;
    }
    entries->count = kept;
}

static bool are_valid(const struct entries *entries)
{
    bool has_owner = false;
    if (entries->count > ENC_MANIFEST_INITIAL_MAX)
        return false;
    for (size_t i = 0; i < entries->count; i++) {
        if (!enc_point_lifts(entries->items[i].identity32))
            return false;
        has_owner |= enc_roles_have(&entries->items[i].roles, ENC_ROLE_OWNER);
    }
    return has_owner;
}

static enum enc_err keep(const struct enc_manifest_reading *reading, const struct entries *entries)
{
    struct enc_member *kept = ENC_ARENA_NEW(reading->arena, struct enc_member, entries->count);
    if (!kept)
        return ENC_ERR_TOO_LARGE;
    memcpy(kept, entries->items, sizeof *kept * entries->count);
    reading->out->initial = kept;
    reading->out->initial_count = (uint32_t)entries->count;
    return ENC_ERR_OK;
}

enum enc_err enc_manifest_take_initial(const struct enc_manifest_reading *reading,
                                       const struct enc_json *initial_state)
{
    struct entries entries = {0};
    size_t count = 0;
    if (!initial_state || initial_state->kind != ENC_JSON_OBJECT ||
        !count_entries(&count, initial_state))
        return ENC_ERR_INVALID_MANIFEST;
    entries.items = ENC_ARENA_NEW(reading->scratch, struct enc_member, count);
    struct enc_member *spare = ENC_ARENA_NEW(reading->scratch, struct enc_member, count);
    if (!entries.items || !spare)
        return ENC_ERR_TOO_LARGE;
    ENC_TRY(refuse_unless(add_all(&entries, reading->out, initial_state)));
    sort(&entries, spare);
    unite(&entries);
    ENC_TRY(refuse_unless(are_valid(&entries)));
    return keep(reading, &entries);
}
