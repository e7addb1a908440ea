#include "tests/fuzz/naive/manifest.h"

#include <ctype.h>

static bool among(const char *const *names, const json_t *value)
{
    for (; *names; names++)
        if (tree_is(value, *names))
            return true;
    return false;
}

static const char *const RESERVED[] = {"Self",   "Sender",   "Owner", "Any",
                                       "Public", "OUTSIDER", "*",     NULL};

static const json_t *rbac_of(const json_t *content)
{
    return json_object_get(content, "RBAC");
}

/* ---- roles ---- */

static bool is_role_name(const json_t *name)
{
    struct enc_bytes text = tree_text(name);
    if (!json_is_string(name) || text.len < 1 || text.len > 32 || !isupper(text.data[0]))
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (!isalnum(text.data[i]) && text.data[i] != '_')
            return false;
    return !among(RESERVED, name);
}

static size_t count_of(const json_t *list, const json_t *value)
{
    size_t i, count = 0;
    json_t *item;
    json_array_foreach(list, i, item) count += (size_t)json_equal(item, value);
    return count;
}

static bool is_declared(const json_t *content, const json_t *name)
{
    return count_of(json_object_get(rbac_of(content), "roles"), name) > 0;
}

static bool are_roles(const json_t *roles)
{
    size_t i;
    json_t *name;
    if (!json_is_array(roles) || json_array_size(roles) > 224)
        return false;
    json_array_foreach(roles, i, name)
    {
        if (!is_role_name(name) || count_of(roles, name) != 1)
            return false;
    }
    return true;
}

/* ---- schema ---- */

static bool are_ops(const json_t *ops)
{
    static const char *const OPS[] = {"C",  "R",  "U",  "D",  "P",  "N", "_C",
                                      "_R", "_U", "_D", "_P", "_N", NULL};
    size_t i;
    json_t *op;
    if (!json_is_array(ops))
        return false;
    json_array_foreach(ops, i, op)
    {
        if (!among(OPS, op))
            return false;
    }
    return true;
}

static bool are_targets(const json_t *content, const json_t *row, const json_t *targets)
{
    static const char *const TARGETED[] = {"Grant", "Grant_Push", "Revoke",
                                           "Move",  "Force_Move", NULL};
    size_t i;
    json_t *role;
    if (!targets)
        return true;
    if (!json_is_array(targets) || !among(TARGETED, json_object_get(row, "event")))
        return false;
    json_array_foreach(targets, i, role)
    {
        if (!tree_is(role, "Owner") && !is_declared(content, role))
            return false;
    }
    return true;
}

static bool is_row(const json_t *content, const json_t *row)
{
    const json_t *event = json_object_get(row, "event");
    const json_t *role = json_object_get(row, "role");
    return (tree_is(event, "*") || tree_type(event)) && json_is_string(role) &&
           (among(RESERVED, role) || is_declared(content, role)) &&
           are_ops(json_object_get(row, "ops")) &&
           are_targets(content, row, json_object_get(row, "target_roles"));
}

static bool is_schema(const json_t *content)
{
    size_t i;
    json_t *row;
    const json_t *schema = json_object_get(rbac_of(content), "schema");
    if (!json_is_array(schema) || json_array_size(schema) > 4096)
        return false;
    json_array_foreach(schema, i, row)
    {
        if (!is_row(content, row))
            return false;
    }
    return true;
}

/* ---- initial state ---- */

static json_t *initial_of(const json_t *content)
{
    return json_object_get(rbac_of(content), "initial_state");
}

static bool are_identities(const json_t *list, bool (*lifts)(const uint8_t pub32[32]))
{
    size_t i;
    uint8_t pub32[32];
    json_t *item;
    if (!json_is_array(list))
        return false;
    json_array_foreach(list, i, item)
    {
        if (!tree_hex(item, pub32, 32) || !lifts(pub32))
            return false;
    }
    return true;
}

static bool is_initial(const json_t *content, bool (*lifts)(const uint8_t pub32[32]))
{
    const char *role;
    json_t *list;
    json_t *initial = initial_of(content);
    if (!json_is_object(initial) || json_array_size(json_object_get(initial, "Owner")) == 0)
        return false;
    json_object_foreach(initial, role, list)
    {
        size_t i, known = strcmp(role, "Owner") == 0;
        json_t *name;
        json_array_foreach(json_object_get(rbac_of(content), "roles"), i, name)
        {
            known += tree_is(name, role);
        }
        if (!known || !are_identities(list, lifts))
            return false;
    }
    return naive_manifest_members(content) <= 4096;
}

bool naive_manifest_gives(const json_t *content, const char *role, const uint8_t identity32[32])
{
    size_t i;
    uint8_t pub32[32];
    json_t *item;
    json_array_foreach(json_object_get(initial_of(content), role), i, item)
    {
        if (tree_hex(item, pub32, 32) && memcmp(pub32, identity32, 32) == 0)
            return true;
    }
    return false;
}

/* Whether this place of the list is the first at which its identity is named. */
static bool is_first(json_t *initial, const char *at_role, size_t at)
{
    const char *role;
    json_t *list;
    uint8_t mine32[32] = {0}, pub32[32];
    tree_hex(json_array_get(json_object_get(initial, at_role), at), mine32, 32);
    json_object_foreach(initial, role, list)
    {
        bool is_here = strcmp(role, at_role) == 0;
        size_t count = is_here ? at : json_array_size(list);
        for (size_t i = 0; i < count; i++)
            if (tree_hex(json_array_get(list, i), pub32, 32) && memcmp(pub32, mine32, 32) == 0)
                return false;
        if (is_here)
            return true;
    }
    return true;
}

size_t naive_manifest_members(const json_t *content)
{
    const char *role;
    json_t *list;
    json_t *initial = initial_of(content);
    size_t count = 0;
    json_object_foreach(initial, role, list)
    {
        for (size_t i = 0; i < json_array_size(list); i++)
            count += is_first(initial, role, i);
    }
    return count;
}

/* ---- the whole ---- */

static bool is_bundle(const json_t *bundle)
{
    const json_t *size = json_object_get(bundle, "size");
    const json_t *timeout = json_object_get(bundle, "timeout");
    return !bundle || (json_is_object(bundle) && (!size || tree_int(size, NULL, 1, 65536)) &&
                       (!timeout || tree_int(timeout, NULL, 0, 86400000)));
}

bool naive_manifest_is_good(const json_t *content, bool (*lifts)(const uint8_t pub32[32]))
{
    const json_t *rbac = rbac_of(content);
    const json_t *sequencer = json_object_get(content, "sequencer");
    return tree_int(json_object_get(content, "enc_v"), NULL, 1, 1) &&
           is_bundle(json_object_get(content, "bundle")) &&
           (!sequencer || tree_hex(sequencer, NULL, 32)) &&
           are_roles(json_object_get(rbac, "roles")) && is_schema(content) &&
           is_initial(content, lifts);
}
