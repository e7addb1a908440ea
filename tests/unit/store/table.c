/** The rows of table.def. */
#include "store/table.h"

#include <criterion/criterion.h>
#include <signal.h>

Test(table, names_are_distinct_and_shapes_possible)
{
    for (unsigned i = 0; i < ENC_TABLE_COUNT; i++) {
        const struct enc_table_row *row = enc_table_row((enum enc_table)i);
        cr_assert(row->key_len_min >= 1 && row->key_len_min <= row->key_len_max);
        cr_assert_leq(row->key_len_max, ENC_ROW_KEY_LEN_MAX);
        cr_assert(row->value_len_max == 0 || row->value_len_min <= row->value_len_max);
        for (unsigned j = 0; j < i; j++)
            cr_assert_str_neq(row->name, enc_table_row((enum enc_table)j)->name);
    }
}

Test(table, fits_holds_both_bounds_of_both)
{
    cr_assert(enc_table_fits(ENC_TABLE_CT_LEAF, 16, 84));
    cr_assert_not(enc_table_fits(ENC_TABLE_CT_LEAF, 15, 84));
    cr_assert_not(enc_table_fits(ENC_TABLE_CT_LEAF, 17, 84));
    cr_assert_not(enc_table_fits(ENC_TABLE_CT_LEAF, 16, 83));
    cr_assert_not(enc_table_fits(ENC_TABLE_CT_LEAF, 16, 85));
    cr_assert(enc_table_fits(ENC_TABLE_EVENT, 16, 1 << 20));
    cr_assert_not(enc_table_fits(ENC_TABLE_EVENT, 16, 0));
}

Test(table, a_value_outside_the_list_is_a_mistake, .signal = SIGABRT)
{
    (void)enc_table_row(ENC_TABLE_COUNT);
}
