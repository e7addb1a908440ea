#include "services/figure.h"

#include <criterion/criterion.h>

static size_t two(void)
{
    return 2;
}

static size_t three(void)
{
    return 3;
}

static void put_letter(struct enc_labels *labels, size_t at)
{
    enc_labels_put(labels, "letter", at ? "b" : "a");
}

static void put_digit(struct enc_labels *labels, size_t at)
{
    char text[2] = {(char)('0' + at), '\0'};
    enc_labels_put(labels, "digit", text);
    labels->is_void |= at == 2;
}

static const struct enc_axis LETTER = {two, put_letter};
static const struct enc_axis DIGIT = {three, put_digit};

enum { PLAIN, GRID, SIZES, LAST, ROW_COUNT };
static const struct enc_figure ROWS[ROW_COUNT] = {
    [PLAIN] = {.kind = ENC_FIGURE_GAUGE, .name = "plain", .labels = "of=\"x\"", .help = "Plain."},
    [GRID] = {.kind = ENC_FIGURE_COUNTER,
              .name = "grid",
              .axes = {&LETTER, &DIGIT},
              .help = "Grid."},
    [SIZES] = {.kind = ENC_FIGURE_HISTOGRAM,
               .name = "sizes",
               .axes = {&LETTER},
               .scale = &ENC_SCALE_COUNT,
               .help = "Sizes."},
    [LAST] = {.kind = ENC_FIGURE_COUNTER, .name = "last", .help = "Last."},
};

static struct enc_ledger ledger;

static void init(void)
{
    cr_assert(enc_ledger_open(&ledger, ROWS, ROW_COUNT));
}

static void fini(void)
{
    enc_ledger_close(&ledger);
}

TestSuite(figure, .init = init, .fini = fini);

Test(figure, every_series_has_cells_of_its_own)
{
    enc_ledger_add(&ledger, PLAIN, 0, 5);
    enc_ledger_add(&ledger, PLAIN, 0, -7);
    for (size_t letter = 0; letter < 2; letter++)
        for (size_t digit = 0; digit < 3; digit++)
            enc_ledger_add(&ledger, GRID, enc_figure_place(&ROWS[GRID], letter, digit),
                           (int64_t)(10 * letter + digit));
    enc_ledger_observe(&ledger, SIZES, 1, 2000);
    enc_ledger_add(&ledger, LAST, 0, 1);
    cr_assert_eq(enc_ledger_get(&ledger, PLAIN, 0), -2);
    for (size_t place = 0; place < 6; place++)
        cr_assert_eq(enc_ledger_get(&ledger, GRID, place), (int64_t)(10 * (place / 3) + place % 3));
    cr_assert_eq(enc_ledger_get(&ledger, LAST, 0), 1);
}

Test(figure, labels_come_from_row_and_axes)
{
    struct enc_labels labels;
    enc_figure_labels(&labels, &ROWS[PLAIN], 0);
    cr_assert_str_eq(labels.text, "of=\"x\"");
    enc_figure_labels(&labels, &ROWS[GRID], 4);
    cr_assert_str_eq(labels.text, "letter=\"b\",digit=\"1\"");
    cr_assert(!labels.is_void);
    enc_figure_labels(&labels, &ROWS[GRID], 2);
    cr_assert(labels.is_void);
    enc_figure_labels(&labels, &ROWS[LAST], 0);
    cr_assert_eq(labels.len, 0);
    cr_assert_eq(enc_figure_places(&ROWS[GRID]), 6);
    cr_assert_eq(enc_figure_places(&ROWS[LAST]), 1);
}

Test(figure, a_bound_belongs_to_its_bucket)
{
    struct enc_histogram histogram;
    static const uint64_t VALUES[] = {0, 1, 2, 3, 4, 5, 1024, 1025};
    for (size_t i = 0; i < sizeof VALUES / sizeof *VALUES; i++)
        enc_ledger_observe(&ledger, SIZES, 0, VALUES[i]);
    enc_ledger_histogram(&ledger, &histogram, SIZES, 0);
    static const uint64_t EXPECTED[] = {2, 1, 2, 1, 0, 0, 0, 0, 0, 0, 1, 1};
    cr_assert_arr_eq(histogram.buckets, EXPECTED, sizeof EXPECTED);
    cr_assert_eq(histogram.count, 8);
    cr_assert_eq(histogram.sum, 2064);
    enc_ledger_histogram(&ledger, &histogram, SIZES, 1);
    cr_assert_eq(histogram.count, 0);
}

Test(figure, scales_ascend)
{
    const struct enc_scale *const scales[] = {&ENC_SCALE_TIME, &ENC_SCALE_COUNT};
    for (size_t s = 0; s < 2; s++)
        for (size_t i = 1; i < scales[s]->count; i++)
            cr_assert_lt(scales[s]->bounds[i - 1], scales[s]->bounds[i]);
}
