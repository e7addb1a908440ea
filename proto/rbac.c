#include "proto/rbac.h"

/** A wildcard never hands out C, U or D on a type of the protocol. */
static bool matches(const struct enc_schema_row *row, struct enc_bytes type, enum enc_op op)
{
    if (!row->is_wildcard)
        return enc_bytes_equal(row->event, type);
    return op == ENC_OP_READ || op == ENC_OP_PUSH || op == ENC_OP_NOTIFY ||
           !enc_type_is_predefined(type);
}

static bool holds(const struct enc_schema_row *row, const struct enc_roles *roles,
                  struct enc_context context)
{
    const bool held[] = {
        [ENC_HOLDER_NOBODY] = false,      [ENC_HOLDER_ROLE] = enc_roles_have(roles, row->bit),
        [ENC_HOLDER_SELF] = context.self, [ENC_HOLDER_ANY] = context.authenticated,
        [ENC_HOLDER_PUBLIC] = true,
    };
    return held[row->holder];
}

bool enc_rbac_permits(const struct enc_manifest *manifest, const struct enc_roles *roles,
                      struct enc_bytes type, enum enc_op op, struct enc_context context)
{
    unsigned granted = 0, denied = 0;
    for (uint32_t i = 0; i < manifest->row_count; i++) {
        const struct enc_schema_row *row = &manifest->rows[i];
        if (((row->ops | row->denies) >> op & 1) == 0 || !matches(row, type, op) ||
            !holds(row, roles, context))
            continue;
        granted |= row->ops;
        denied |= row->denies;
    }
    return (granted & ~denied) >> op & 1;
}

bool enc_rbac_targets(struct enc_roles *targets, const struct enc_manifest *manifest,
                      const struct enc_roles *roles, struct enc_bytes type,
                      struct enc_context context)
{
    *targets = (struct enc_roles){0};
    if (!enc_rbac_permits(manifest, roles, type, ENC_OP_CREATE, context))
        return false;
    for (uint32_t i = 0; i < manifest->row_count; i++) {
        const struct enc_schema_row *row = &manifest->rows[i];
        if ((row->ops >> ENC_OP_CREATE & 1) && matches(row, type, ENC_OP_CREATE) &&
            holds(row, roles, context))
            enc_roles_unite(targets, &row->targets);
    }
    return true;
}

enum enc_err enc_rbac_create(const struct enc_manifest *manifest, const struct enc_gates *gates,
                             const struct enc_roles *roles, struct enc_bytes type)
{
    const struct enc_context actor = {.self = false, .authenticated = true};
    if (!enc_rbac_permits(manifest, roles, type, ENC_OP_CREATE, actor))
        return ENC_ERR_UNAUTHORIZED;
    bool is_stopped = enc_gates_stop(gates, type) && !enc_roles_have(roles, ENC_ROLE_OWNER);
    return is_stopped ? ENC_ERR_GATE_CLOSED : ENC_ERR_OK;
}

/** R on a type for a reader who did or did not write what is read. */
static bool reads(const struct enc_manifest *manifest, const struct enc_roles *roles,
                  const struct enc_reader *reader, struct enc_bytes type, const uint8_t *author32)
{
    static const struct enc_roles NONE;
    const struct enc_context context = {
        .self = reader->is_known && memcmp(reader->pub32, author32, 32) == 0,
        .authenticated = reader->is_known,
    };
    return enc_rbac_permits(manifest, reader->is_known ? roles : &NONE, type, ENC_OP_READ, context);
}

bool enc_rbac_can_read(const struct enc_manifest *manifest, const struct enc_roles *roles,
                       const struct enc_reader *reader, const struct enc_sight *sight)
{
    return reads(manifest, roles, reader, sight->type, sight->from32) ||
           (sight->target_from32 &&
            reads(manifest, roles, reader, sight->target_type, sight->target_from32));
}

/** The empty name stands for all types that no row names. */
bool enc_rbac_reads_any(const struct enc_manifest *manifest, const struct enc_roles *roles,
                        struct enc_context context)
{
    for (uint32_t i = 0; i < manifest->row_count; i++)
        if ((manifest->rows[i].ops >> ENC_OP_READ & 1) &&
            enc_rbac_permits(manifest, roles, manifest->rows[i].event, ENC_OP_READ, context))
            return true;
    return false;
}

enum enc_delivery enc_rbac_delivery(const struct enc_manifest *manifest,
                                    const struct enc_roles *roles, struct enc_bytes type)
{
    const struct enc_context nobody = {0};
    if (enc_rbac_permits(manifest, roles, type, ENC_OP_PUSH, nobody))
        return ENC_DELIVERY_PUSH;
    return enc_rbac_permits(manifest, roles, type, ENC_OP_NOTIFY, nobody) ? ENC_DELIVERY_NOTIFY
                                                                          : ENC_DELIVERY_NONE;
}

bool enc_rbac_delivers(const struct enc_manifest *manifest, const struct enc_roles *roles)
{
    enum { DELIVERS = 1 << ENC_OP_PUSH | 1 << ENC_OP_NOTIFY };
    for (uint32_t i = 0; i < manifest->row_count; i++) {
        const struct enc_schema_row *row = &manifest->rows[i];
        if ((row->ops & DELIVERS) && row->holder == ENC_HOLDER_ROLE &&
            enc_roles_have(roles, row->bit))
            return true;
    }
    return false;
}
