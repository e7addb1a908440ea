/** Numbers about a shard. */
#include "tests/unit/store/rig.h"

Test(counts, tell_rows_readers_and_growth)
{
    static struct rig rig;
    struct enc_store_counts before, after;
    rig_init(&rig);
    rig_open(&rig);
    rig_ok(enc_store_counts(rig.store, &before));
    rig_begin(&rig);
    rig_put_enclave(&rig, 1);
    rig_put_events(&rig, 1, 0, 2000);
    rig_apply(&rig);
    rig_look(&rig);
    rig_ok(enc_store_counts(rig.store, &after));
    cr_assert_eq(before.rows[ENC_TABLE_EVENT], 0);
    cr_assert_eq(after.rows[ENC_TABLE_EVENT], 2000);
    cr_assert_eq(after.rows[ENC_TABLE_EVENT_HASH], 2000);
    cr_assert_eq(after.rows[ENC_TABLE_ENCLAVE], 1);
    cr_assert_eq(after.map_len, (uint64_t)256 << 20);
    cr_assert_eq(after.txn_id, rig.facts.txn_id);
    cr_assert_eq(after.reader_max, 126);
    cr_assert_eq(after.reader_count, 1);
    cr_assert_gt(after.used_len, before.used_len + 2000 * 100);
    cr_assert_eq(after.used_len % after.page_len, 0);
    cr_assert_geq(after.file_len, after.used_len);
    rig_fini(&rig);
}
