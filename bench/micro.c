/*
 * micro --dir DIR [--quick] [--gate] [--row NAME [--count N]]
 *
 * Every row on a line as JSON, in ns for one operation. --quick leaves out what takes long to
 * prepare and counts less. --gate runs the rows that have a fixed count, for callgrind: what is
 * inside micro_measured() is the row and nothing else. --row runs one, N times. DIR is where the
 * store goes.
 */
#include "bench/micro.h"

#include <stdio.h>

enum { QUICK_SHARE = 20, QUICK_LEAVES_MAX = 1000, SYNC = 1 };

static const struct micro_row ROWS[] = {
    {"verify", micro_verify, 6000, 20, NULL, 0},
    {"verify, key lifted before", micro_verify_lifted, 7000, 20, NULL, 0},
    {"sign", micro_sign, 10000, 20, NULL, 0},
    {"H of a pair", micro_pair, 2000000, 1000, NULL, 0},
    {"SHA-256 of 600 bytes", micro_sha_600, 500000, 300, NULL, 0},
    {"JSON parse", micro_parse, 200000, 100, NULL, 0},
    {"JSON parse and decode", micro_decode, 200000, 100, NULL, 0},
    {"CBOR and commit hash", micro_hash, 400000, 300, NULL, 0},
    {"receipt as JSON", micro_receipt, 400000, 300, NULL, 0},
    {"record encode", micro_encode, 1000000, 300, NULL, 0},
    {"record decode", micro_take, 1000000, 300, NULL, 0},
    {"seal of an event's JSON", micro_seal, 100000, 100, NULL, 0},
    {"mailbox post and take", micro_mailbox, 5000000, 1000, NULL, 0},
    {"SMT update, 1 leaf", micro_tree_update, 10000, 20, micro_tree_make, 1},
    {"SMT proof, 1 leaf", micro_tree_prove, 10000, 20, micro_tree_make, 1},
    {"SMT update, 1000 leaves", micro_tree_update, 10000, 20, micro_tree_make, 1000},
    {"SMT proof, 1000 leaves", micro_tree_prove, 10000, 20, micro_tree_make, 1000},
    {"SMT update, 1000000 leaves", micro_tree_update, 10000, 0, micro_tree_make, 1000000},
    {"SMT proof, 1000000 leaves", micro_tree_prove, 10000, 0, micro_tree_make, 1000000},
    {"LMDB, 64 events a batch, event", micro_store_batch, 20000, 640, micro_store_open, 0},
    {"LMDB, 64 events a batch and sync, event", micro_store_batch, 20000, 0, micro_store_open,
     SYNC},
    {"LMDB, read of an event", micro_store_read, 200000, 300, micro_store_fill, 0},
};

struct choice {
    bool is_quick;
    bool is_gate;
    const char *row;
    const char *dir;
    size_t count;
};

struct enc_arena micro_arena(struct micro *micro)
{
    struct enc_arena arena;
    enc_arena_init_fixed(&arena, micro->memory, MICRO_ARENA_LEN);
    return arena;
}

static size_t count_of(const struct choice *choice, const struct micro_row *row)
{
    if (choice->count)
        return choice->count;
    if (choice->is_gate)
        return row->gate_count;
    if (choice->row)
        return row->count;
    if (choice->is_quick)
        return row->leaves > QUICK_LEAVES_MAX ? 0 : row->count / QUICK_SHARE;
    return row->count;
}

static void run_row(struct micro *micro, const struct micro_row *row, const struct choice *choice)
{
    size_t count = count_of(choice, row);
    if (count == 0 || (choice->row && strcmp(choice->row, row->name) != 0))
        return;
    if (row->prepare)
        row->prepare(micro, row->leaves);
    row->run(micro, count / QUICK_SHARE + 1);
    uint64_t took_ns = micro_measured(row, micro, count);
    printf("{\"name\":\"%s\",\"count\":%zu,\"ns\":%.2f}\n", row->name, count,
           (double)took_ns / (double)count);
    fflush(stdout);
}

static void parse(struct choice *choice, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        bool has_value = i + 1 < argc;
        if (strcmp(argv[i], "--quick") == 0)
            choice->is_quick = true;
        else if (strcmp(argv[i], "--gate") == 0)
            choice->is_gate = true;
        else if (strcmp(argv[i], "--dir") == 0 && has_value)
            choice->dir = argv[++i];
        else if (strcmp(argv[i], "--row") == 0 && has_value)
            choice->row = argv[++i];
        else if (strcmp(argv[i], "--count") == 0 && has_value)
            choice->count = strtoul(argv[++i], NULL, 10);
        else
            exit(2);
    }
}

int main(int argc, char **argv)
{
    static struct micro micro;
    struct choice choice = {0};
    parse(&choice, argc, argv);
    if (!choice.dir)
        exit(2);
    micro.dir = choice.dir;
    micro_init(&micro);
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++)
        run_row(&micro, &ROWS[i], &choice);
    micro_store_close(&micro);
    return 0;
}
