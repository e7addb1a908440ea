/** Rows of ids: entries, the order of rows, finding, merging. */
#include "store/ids.h"
#include "tests/unit/store/rig.h"

enum { ROW_LEN_MAX = 4 * ENC_IDS_FEW * ENC_ID_ENTRY_LEN };

static void id_of(uint8_t id32[32], uint64_t prefix, uint8_t rest)
{
    memset(id32, rest, 32);
    enc_be64_put(id32, prefix << 18);
}

static struct enc_bytes row_of(uint8_t *out, const uint64_t *prefixes, size_t count, uint64_t seq)
{
    for (size_t i = 0; i < count; i++) {
        uint8_t id32[32];
        id_of(id32, prefixes[i], 0);
        enc_be64_put(out + i * ENC_ID_ENTRY_LEN, enc_id_entry(id32, seq + i));
    }
    return enc_bytes_of(out, count * ENC_ID_ENTRY_LEN);
}

Test(ids, an_entry_gives_back_its_seq)
{
    const uint8_t *id32 = rig_id('i', 1, 1);
    const uint64_t seqs[] = {0, 1, 63, 64, ENC_IDS_MOST - 1, ENC_IDS_MOST, 5000000123};
    for (size_t i = 0; i < sizeof seqs / sizeof *seqs; i++) {
        uint64_t first_seq = seqs[i] / ENC_IDS_FEW * ENC_IDS_FEW;
        cr_assert_eq(enc_id_entry_seq(enc_id_entry(id32, seqs[i]), first_seq), seqs[i]);
    }
}

Test(ids, newer_rows_stand_before_older_ones)
{
    struct enc_row_key newer, older, other;
    enc_ids_key(&newer, 7, 128);
    enc_ids_key(&older, 7, 64);
    enc_ids_key(&other, 8, 0);
    cr_assert_lt(enc_row_key_compare(enc_row_key_view(&newer), enc_row_key_view(&older)), 0);
    cr_assert_lt(enc_row_key_compare(enc_row_key_view(&older), enc_row_key_view(&other)), 0);
    cr_assert_eq(enc_ids_first_seq(enc_row_key_view(&newer)), 128);
}

Test(ids, a_short_row_is_searched_from_end_to_end)
{
    uint8_t bytes[ROW_LEN_MAX], id32[32];
    const uint64_t prefixes[] = {9, 3, 9, 1};
    struct enc_bytes row = row_of(bytes, prefixes, 4, 0);
    id_of(id32, 9, 1);
    cr_assert_eq(enc_ids_find(row, id32, 0), 0);
    cr_assert_eq(enc_ids_find(row, id32, 1), 2);
    cr_assert_eq(enc_ids_find(row, id32, 3), 4);
    id_of(id32, 2, 0);
    cr_assert_eq(enc_ids_find(row, id32, 0), 4);
    cr_assert_eq(enc_ids_find(enc_bytes_of(bytes, 0), id32, 0), 0);
}

Test(ids, four_rows_become_a_sorted_one)
{
    static uint8_t bytes[4][ROW_LEN_MAX];
    static uint64_t out[4 * ENC_IDS_FEW], scratch[4 * ENC_IDS_FEW], prefixes[4 * ENC_IDS_FEW];
    struct enc_bytes rows[4];
    uint8_t id32[32];
    for (uint64_t i = 0; i < 4 * ENC_IDS_FEW; i++)
        prefixes[i] = i * 61 % 250 * 3; /* six of them twice, and gaps */
    for (size_t i = 0; i < 4; i++)
        rows[i] = row_of(bytes[i], prefixes + i * ENC_IDS_FEW, ENC_IDS_FEW, i * ENC_IDS_FEW);
    enc_ids_merge(out, scratch, rows);
    struct enc_bytes row = enc_bytes_of((const uint8_t *)out, sizeof out);
    for (size_t i = 1; i < enc_ids_count(row); i++)
        cr_assert_lt(enc_ids_at(row, i - 1), enc_ids_at(row, i));
    for (uint64_t seq = 0; seq < 4 * ENC_IDS_FEW; seq++) {
        id_of(id32, prefixes[seq], 1);
        size_t at = enc_ids_find(row, id32, 0);
        while (at < enc_ids_count(row) && enc_id_entry_seq(enc_ids_at(row, at), 0) != seq)
            at = enc_ids_find(row, id32, at + 1);
        cr_assert_lt(at, enc_ids_count(row), "%lu", (unsigned long)seq);
        id_of(id32, prefixes[seq] + 1, 1);
        cr_assert_eq(enc_ids_find(row, id32, 0), enc_ids_count(row));
    }
}

/* Whoever makes ids that lie close together must not find a place that is not theirs. */
Test(ids, places_are_found_however_prefixes_lie)
{
    enum { COUNT = 4 * ENC_IDS_FEW, SHAPES = 4 };
    static uint8_t bytes[ROW_LEN_MAX];
    static uint64_t prefixes[COUNT];
    const uint64_t top = UINT64_MAX >> 18;
    for (unsigned shape = 0; shape < SHAPES; shape++) {
        for (uint64_t i = 0; i < COUNT; i++) {
            const uint64_t shapes[SHAPES] = {i, top - 2 * (COUNT - i), i < 8 ? i : top - COUNT + i,
                                             (uint64_t)1 << i * 45 / COUNT};
            prefixes[i] = shapes[shape];
        }
        struct enc_bytes row = row_of(bytes, prefixes, COUNT, 0);
        for (size_t i = 0; i < COUNT; i++) {
            uint8_t id32[32];
            size_t first = i;
            while (first > 0 && prefixes[first - 1] == prefixes[i])
                first--;
            id_of(id32, prefixes[i], 1);
            cr_assert_eq(enc_ids_find(row, id32, 0), first, "shape %u, entry %zu", shape, i);
        }
    }
}
