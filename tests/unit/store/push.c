/** Endpoints, queues, deliveries. */
#include "tests/unit/store/rig.h"

static struct rig rig;

static void setup(void)
{
    rig_init(&rig);
    rig_open(&rig);
    rig_begin(&rig);
}

static void teardown(void)
{
    rig_fini(&rig);
}

TestSuite(push, .init = setup, .fini = teardown);

static void put_endpoint(uint64_t ord, uint64_t identity, uint64_t url)
{
    uint8_t identity32[32], url16[16];
    memcpy(identity32, rig_id('p', 0, identity), 32);
    memcpy(url16, rig_id('u', 0, url), 16);
    struct enc_bytes text = enc_arena_copy(&rig.arena, enc_bytes_of(url16, 16));
    enc_put_endpoint(&rig.set, &(struct enc_endpoint_key){ord, identity32, url16}, text);
}

static size_t count_endpoints(uint64_t ord, const uint8_t *identity32)
{
    struct enc_scan scan;
    struct enc_endpoint_found found;
    size_t count = 0;
    enc_scan_endpoints(&scan, rig.snap, ord, identity32);
    for (; enc_scan_endpoint(&scan, &found); count++) {
        cr_assert(enc_bytes_equal(found.url, enc_bytes_of(found.url16, 16)));
        cr_assert(!identity32 || memcmp(found.identity32, identity32, 32) == 0);
    }
    rig_ok(enc_scan_fini(&scan));
    return count;
}

Test(push, endpoints_of_an_enclave_and_of_an_identity)
{
    for (uint64_t ord = 1; ord <= 3; ord++)
        for (uint64_t identity = 0; identity < 3; identity++)
            for (uint64_t url = 0; url <= identity; url++)
                put_endpoint(ord, identity, url);
    rig_apply(&rig);
    rig_look(&rig);
    cr_assert_eq(count_endpoints(2, NULL), 6);
    for (uint64_t identity = 0; identity < 3; identity++)
        cr_assert_eq(count_endpoints(2, rig_id('p', 0, identity)), identity + 1);
    cr_assert_eq(count_endpoints(2, rig_id('p', 0, 3)), 0);
    cr_assert_eq(count_endpoints(4, NULL), 0);
}

Test(push, an_endpoint_is_found_replaced_and_removed)
{
    uint8_t identity32[32], url16[16];
    memcpy(identity32, rig_id('p', 0, 1), 32);
    memcpy(url16, rig_id('u', 0, 1), 16);
    const struct enc_endpoint_key key = {1, identity32, url16};
    struct enc_bytes url;
    enc_put_endpoint(&rig.set, &key, ENC_LIT("https://a.example/"));
    enc_put_endpoint(&rig.set, &key, ENC_LIT("https://b.example/"));
    rig_apply(&rig);
    rig_ok(enc_snap_endpoint(rig_look(&rig), &url, &key));
    cr_assert(enc_bytes_is(url, "https://b.example/"));
    rig_begin(&rig);
    enc_del_endpoint(&rig.set, &key);
    rig_apply(&rig);
    cr_assert_eq(enc_snap_endpoint(rig_look(&rig), &url, &key), ENC_ERR_ENDPOINT_NOT_FOUND);
}

static void put_pendings(const struct enc_queue_key *queue, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        const struct enc_pending_row row = {
            .row_id = i * 200, .event_seq = i + 7, .form = (uint8_t)(i % 2)};
        enc_put_pending(&rig.set, queue, &row);
    }
}

static uint64_t count_pendings(const struct enc_queue_key *queue)
{
    struct enc_scan scan;
    struct enc_pending_found found;
    uint64_t count = 0;
    enc_scan_pendings(&scan, rig.snap, queue);
    for (; enc_scan_pending(&scan, &found); count++)
        if (queue->queue16) {
            cr_assert_eq(found.row.row_id, count * 200);
            cr_assert_eq(found.row.event_seq, count + 7);
            cr_assert_eq(found.row.form, count % 2);
            cr_assert_arr_eq(found.queue16, queue->queue16, 16);
        }
    rig_ok(enc_scan_fini(&scan));
    return count;
}

Test(push, pending_rows_wait_in_order_queue_by_queue)
{
    uint8_t a16[16] = {1}, b16[16] = {2};
    const struct enc_queue_key a = {1, a16}, b = {1, b16}, all = {1, NULL}, other = {2, a16};
    put_pendings(&a, 5);
    put_pendings(&b, 3);
    put_pendings(&other, 1);
    rig_apply(&rig);
    rig_look(&rig);
    cr_assert_eq(count_pendings(&a), 5);
    cr_assert_eq(count_pendings(&b), 3);
    cr_assert_eq(count_pendings(&all), 8);
    cr_assert_eq(count_pendings(&other), 1);
    rig_begin(&rig);
    enc_del_pending(&rig.set, &a, 4 * 200);
    rig_apply(&rig);
    rig_look(&rig);
    cr_assert_eq(count_pendings(&a), 4);
}

Test(push, a_queue_stands_at_zero_until_it_is_put)
{
    uint8_t queue16[16] = {9};
    const struct enc_queue_key queue = {1, queue16};
    struct enc_push_seq_row row = {.seq = 1};
    rig_ok(enc_snap_push_seq(rig_look(&rig), &row, &queue));
    cr_assert(row.seq == 0 && row.attempt == 0 && row.next_ms == 0);
    enc_put_push_seq(&rig.set, &queue,
                     &(struct enc_push_seq_row){.seq = 42, .attempt = 3, .next_ms = 1750000000123});
    rig_apply(&rig);
    rig_ok(enc_snap_push_seq(rig_look(&rig), &row, &queue));
    cr_assert(row.seq == 42 && row.attempt == 3 && row.next_ms == 1750000000123);
}

Test(push, deliveries_are_read_from_any_push_seq_on)
{
    uint8_t queue16[16] = {9};
    const struct enc_queue_key queue = {1, queue16};
    struct enc_scan scan;
    struct enc_delivered_row row;
    for (uint64_t i = 1; i <= 10; i++) {
        row = (struct enc_delivered_row){i, i % 2 ? 0 : 1000 + i, ENC_LIT("{\"payload\":1}")};
        enc_put_delivered(&rig.set, &queue, &row);
    }
    enc_put_delivered(&rig.set, &queue, &(struct enc_delivered_row){.push_seq = 11});
    enc_del_delivered(&rig.set, &queue, 5);
    rig_apply(&rig);
    uint64_t due = 4;
    enc_scan_delivereds(&scan, rig_look(&rig), &queue, (struct enc_range){4, UINT64_MAX, false});
    for (; enc_scan_delivered(&scan, &row); due += due == 4 ? 2 : 1) {
        cr_assert_eq(row.push_seq, due);
        cr_assert_eq(row.delivered_ms, due % 2 ? 0 : 1000 + due);
        cr_assert(enc_bytes_is(row.payload, due == 11 ? "" : "{\"payload\":1}"));
    }
    rig_ok(enc_scan_fini(&scan));
    cr_assert_eq(due, 12);
}
