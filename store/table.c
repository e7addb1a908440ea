#include "store/table.h"

#define ENC_TABLE_ROW(symbol, name, home, key_min, key_max, value_min, value_max, once)            \
    {name, ENC_TABLE_##home, key_min, key_max, value_min, value_max, once},
static const struct enc_table_row ROWS[ENC_TABLE_COUNT] = {
#include "store/table.def"
};
#undef ENC_TABLE_ROW

const struct enc_table_row *enc_table_row(enum enc_table table)
{
    ENC_CHECK((unsigned)table < ENC_TABLE_COUNT);
    return &ROWS[table];
}

bool enc_table_fits(enum enc_table table, size_t key_len, size_t value_len)
{
    const struct enc_table_row *row = enc_table_row(table);
    return key_len >= row->key_len_min && key_len <= row->key_len_max &&
           value_len >= row->value_len_min &&
           (row->value_len_max == 0 || value_len <= row->value_len_max);
}

bool enc_table_is_guest(enum enc_table table, size_t key_len)
{
    const struct enc_table_row *own = &ROWS[table];
    if (key_len >= own->key_len_min && key_len <= own->key_len_max)
        return false;
    for (unsigned i = 0; i < ENC_TABLE_COUNT; i++)
        if (ROWS[i].home == own->home && key_len >= ROWS[i].key_len_min &&
            key_len <= ROWS[i].key_len_max)
            return true;
    return false;
}
