/** Room ahead of the pages: written zeros that nothing reads and nothing counts. */
#include "tests/unit/store/rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { LEN_MAX = 4 << 20 };

static struct rig rig;

static struct stat facts_of_file(void)
{
    struct stat facts;
    cr_assert_eq(stat(rig_path(&rig, "shard-0/data.mdb"), &facts), 0);
    return facts;
}

static uint64_t file_len(void)
{
    return (uint64_t)facts_of_file().st_size;
}

static void grow(uint64_t seq, uint64_t count)
{
    rig_begin(&rig);
    rig_put_events(&rig, 1, seq, count);
    rig_apply(&rig);
}

static void open_again(void)
{
    rig_close(&rig);
    rig_open(&rig);
}

static size_t read_file(uint8_t *out)
{
    FILE *in = fopen(rig_path(&rig, "shard-0/data.mdb"), "r");
    cr_assert_not_null(in);
    size_t len = fread(out, 1, LEN_MAX, in);
    cr_assert_eq(fclose(in), 0);
    return len;
}

static void setup(void)
{
    rig_init(&rig);
    rig_open(&rig);
    rig_begin(&rig);
    rig_put_enclave(&rig, 1);
    rig_apply(&rig);
}

static void teardown(void)
{
    rig_fini(&rig);
}

TestSuite(room, .init = setup, .fini = teardown);

Test(room, is_added_when_little_is_left)
{
    uint64_t used_len = enc_store_used_len(rig.store);
    cr_assert_leq(file_len(), used_len);
    cr_assert_eq(enc_store_add_room(rig.store), ENC_ROOM_SLICE_LEN);
    cr_assert_eq(file_len(), used_len + ENC_ROOM_SLICE_LEN);
    cr_assert_eq(enc_store_add_room(rig.store), 0);
    grow(0, 1000);
    cr_assert_gt(enc_store_used_len(rig.store), used_len);
    cr_assert_eq(file_len(), used_len + ENC_ROOM_SLICE_LEN);
    cr_assert_eq(enc_store_add_room(rig.store), ENC_ROOM_SLICE_LEN);
    cr_assert_eq(enc_store_add_room(rig.store), 0);
    cr_assert_eq(file_len(), used_len + 2 * ENC_ROOM_SLICE_LEN);
}

Test(room, is_found_again_after_opening)
{
    cr_assert_eq(enc_store_add_room(rig.store), ENC_ROOM_SLICE_LEN);
    uint64_t len = file_len();
    open_again();
    cr_assert_eq(file_len(), len);
    cr_assert_leq(enc_store_add_room(rig.store), ENC_ROOM_SLICE_LEN);
    cr_assert_eq(enc_store_add_room(rig.store), 0);
}

Test(room, lies_behind_the_pages_and_is_written)
{
    uint8_t *before = (uint8_t *)malloc(LEN_MAX);
    uint8_t *after = (uint8_t *)malloc(LEN_MAX);
    cr_assert(before && after);
    grow(0, 100);
    size_t len = read_file(before);
    cr_assert_eq(enc_store_add_room(rig.store), ENC_ROOM_SLICE_LEN);
    size_t longer = read_file(after);
    cr_assert_eq(longer, enc_store_used_len(rig.store) + ENC_ROOM_SLICE_LEN);
    cr_assert_eq(memcmp(before, after, len), 0);
    while (len < longer)
        cr_assert_eq(after[len++], 0);
    cr_assert_geq(facts_of_file().st_blocks * 512, ENC_ROOM_SLICE_LEN);
    free(before);
    free(after);
}

Test(room, is_used_up_by_what_is_written)
{
    for (uint64_t seq = 0; seq < 20000; seq += 500) {
        grow(seq, 500);
        uint64_t added = enc_store_add_room(rig.store);
        cr_assert(added == 0 || added == ENC_ROOM_SLICE_LEN);
    }
    uint64_t used_len = enc_store_used_len(rig.store);
    cr_assert_gt(used_len, 2 * ENC_ROOM_SLICE_LEN);
    cr_assert_leq(file_len(), used_len + ENC_ROOM_LEN_MIN + ENC_ROOM_SLICE_LEN);
    rig_check_sound(&rig);
    open_again();
    rig_check_sound(&rig);
}

Test(room, counts_for_nothing)
{
    struct enc_store_counts before, after;
    rig_ok(enc_store_counts(rig.store, &before));
    cr_assert_eq(enc_store_add_room(rig.store), ENC_ROOM_SLICE_LEN);
    rig_ok(enc_store_counts(rig.store, &after));
    cr_assert_eq(after.used_len, before.used_len);
    cr_assert_eq(after.used_len, enc_store_used_len(rig.store));
    cr_assert_eq(after.txn_id, before.txn_id);
}

Test(room, ends_with_the_map)
{
    rig_close(&rig);
    rig.config.map_len = 2 << 20;
    rig_open(&rig);
    for (unsigned i = 0; i < 8; i++)
        (void)enc_store_add_room(rig.store);
    grow(0, 2000);
    for (unsigned i = 0; i < 8; i++)
        (void)enc_store_add_room(rig.store);
    cr_assert_leq(file_len(), 2 << 20);
}

Test(room, is_not_wanted_where_nothing_is_synced)
{
    rig_close(&rig);
    rig.config.sync = false;
    rig_open(&rig);
    cr_assert_eq(enc_store_add_room(rig.store), 0);
}
