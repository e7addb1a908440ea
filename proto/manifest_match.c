#include "proto/json.h"
#include "proto/manifest.h"

static bool equal(const struct enc_json *a, const struct enc_json *b);

static const struct enc_json *find(const struct enc_json *object, struct enc_bytes key)
{
    for (const struct enc_json *member = object->child; member; member = member->next)
        if (enc_bytes_equal(member->key, key))
            return member;
    return NULL;
}

/** Same count, so no member of b is left over when each of a has its like. */
static bool objects_equal(const struct enc_json *a, const struct enc_json *b)
{
    for (const struct enc_json *member = a->child; member; member = member->next) {
        const struct enc_json *other = find(b, member->key);
        if (!other || !equal(member, other))
            return false;
    }
    return true;
}

static bool arrays_equal(const struct enc_json *a, const struct enc_json *b)
{
    const struct enc_json *other = b->child;
    for (const struct enc_json *item = a->child; item; item = item->next, other = other->next)
        if (!equal(item, other))
            return false;
    return true;
}

static bool equal(const struct enc_json *a, const struct enc_json *b)
{
    if (a->kind != b->kind || a->count != b->count)
        return false;
    if (a->kind == ENC_JSON_OBJECT)
        return objects_equal(a, b);
    if (a->kind == ENC_JSON_ARRAY)
        return arrays_equal(a, b);
    return a->is_lone == b->is_lone && enc_bytes_equal(a->text, b->text);
}

static bool member_equal(const struct enc_json *schema, const struct enc_json *rbac,
                         const char *name)
{
    const struct enc_json *ours = enc_json_get(schema, name);
    const struct enc_json *theirs = enc_json_get(rbac, name);
    ENC_CHECK(ours);
    return theirs && equal(ours, theirs);
}

enum enc_err enc_manifest_matches_schema(const struct enc_json *rbac, struct enc_arena *scratch,
                                         struct enc_bytes schema_json)
{
    struct enc_json_facts facts;
    struct enc_json *schema;
    enum enc_err err = enc_json_parse(&schema, scratch, schema_json, &facts);
    ENC_CHECK(err != ENC_ERR_INVALID_REQUEST);
    ENC_TRY(err);
    bool is_same = member_equal(schema, rbac, "roles") && member_equal(schema, rbac, "schema");
    return is_same ? ENC_ERR_OK : ENC_ERR_SCHEMA_MISMATCH;
}
