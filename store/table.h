/**
 * The fixed tables of a shard as rows: names, shapes, rules. Rows live in table.def. Pure; any
 * thread.
 */
#pragma once

#include "proto/base/check.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ENC_ROW_KEY_LEN_MAX = 511 }; /* bytes; the engine's limit */

#define ENC_TABLE_ROW(symbol, name, home, key_min, key_max, value_min, value_max, once)            \
    ENC_TABLE_##symbol,
enum enc_table {
#include "store/table.def"
    ENC_TABLE_COUNT
};
#undef ENC_TABLE_ROW

/** What the table promises about each of its rows. Static storage. */
struct enc_table_row {
    const char *name;
    enum enc_table home; /* itself, or the table whose tree it shares */
    uint16_t key_len_min;
    uint16_t key_len_max;
    uint32_t value_len_min;
    uint32_t value_len_max; /* 0 = unbounded */
    bool once;              /* a put of an existing key refuses the whole apply */
};

/** The promises of a table; aborts on a value outside the list. */
const struct enc_table_row *enc_table_row(enum enc_table table);

/** Whether rows with keys of this length, in the tree of the table, are of another one. */
bool enc_table_is_guest(enum enc_table table, size_t key_len);

/** Whether a key and a value of these lengths may stand in the table. */
bool enc_table_fits(enum enc_table table, size_t key_len, size_t value_len);
