#include "store/op.h"

void enc_writeset_init(struct enc_writeset *set, struct enc_arena *arena)
{
    *set = (struct enc_writeset){.arena = arena};
}

bool enc_writeset_ok(const struct enc_writeset *set)
{
    return !set->failed;
}

static struct enc_write *add(struct enc_writeset *set, enum enc_table table,
                             const struct enc_row_key *key)
{
    struct enc_write *op = ENC_ARENA_NEW(set->arena, struct enc_write, 1);
    struct enc_bytes copy = enc_arena_copy(set->arena, enc_row_key_view(key));
    if (!op || !copy.data) {
        set->failed = true;
        return NULL;
    }
    *op = (struct enc_write){.table = table, .key = copy};
    *(set->last ? &set->last->next : &set->first) = op;
    set->last = op;
    set->op_count++;
    set->byte_count += copy.len;
    return op;
}

void enc_op_put(struct enc_writeset *set, enum enc_table table, const struct enc_row_key *key,
                struct enc_bytes value)
{
    ENC_CHECK(enc_table_fits(table, key->len, value.len));
    struct enc_write *op = add(set, table, key);
    if (!op)
        return;
    op->value = value;
    set->byte_count += value.len;
}

void enc_op_put_copy(struct enc_writeset *set, enum enc_table table, const struct enc_row_key *key,
                     struct enc_bytes value)
{
    struct enc_bytes copy = enc_arena_copy(set->arena, value);
    if (copy.data)
        enc_op_put(set, table, key, copy);
    else
        set->failed = true;
}

void enc_op_append_id(struct enc_writeset *set, const struct enc_row_key *key,
                      struct enc_bytes entry)
{
    enc_op_put_copy(set, ENC_TABLE_EVENT_ID, key, entry);
    if (set->last && !set->failed)
        set->last->append = true;
}

void enc_op_put_slot(struct enc_writeset *set, const struct enc_row_key *key, uint8_t slot,
                     const uint8_t hash32[32])
{
    enc_op_put_copy(set, ENC_TABLE_CT_NODE, key, enc_bytes_of(hash32, 32));
    if (set->failed)
        return;
    set->last->is_slot = true;
    set->last->slot = slot;
}

void enc_op_del(struct enc_writeset *set, enum enc_table table, const struct enc_row_key *key)
{
    ENC_CHECK(enc_table_fits(table, key->len, enc_table_row(table)->value_len_min));
    struct enc_write *op = add(set, table, key);
    if (op)
        op->del = true;
}
