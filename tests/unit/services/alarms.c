/* Alarms that are stored, more of them than fit into memory. */
#include "host_fixture.h"

enum { ENCLAVES = 60, TIMEOUT_MS = 60000, ALARMS_MAX = 8, LIVE_MAX = 4 };

/* A table of them rings each second. */
enum { SOON_MS = 10000 };

static struct rig rig;
static const uint8_t *enclaves[ENCLAVES];

static void setup(void)
{
    rig_init(&rig, 1);
    rig.config.limits.alarms_max = ALARMS_MAX;
    rig.config.limits.live_enclaves_max = LIVE_MAX;
    rig_start(&rig);
}

static void fini(void)
{
    rig_check(&rig);
    rig_close(&rig);
}

TestSuite(alarms, .init = setup, .fini = fini);

/* Every one has a bundle with its Manifest, later_ms after the one before. */
static void create(size_t first, size_t end, uint64_t later_ms)
{
    for (size_t i = first; i < end; i++) {
        struct shape shape = {.timeout_ms = TIMEOUT_MS, .nonce = rig_text(&rig, "%zu", i)};
        enclaves[i] = rig_create(&rig, &shape);
        rig_sleep(&rig, later_ms);
    }
}

static bool is_closed(size_t i)
{
    return json_u64(call_json(rig_get(&rig, rig_path(&rig, enclaves[i], "/sth"))), "ts") == 1;
}

static size_t closed_count(void)
{
    size_t count = 0;
    for (size_t i = 0; i < ENCLAVES; i++)
        count += is_closed(i);
    return count;
}

Test(alarms, more_than_fit_ring_after_a_start)
{
    create(0, ENCLAVES, 0);
    rig_restart(&rig);
    rig_settle(&rig);
    cr_assert_eq(closed_count(), 0);
    rig_sleep(&rig, TIMEOUT_MS + SOON_MS);
    cr_assert_eq(closed_count(), ENCLAVES);
}

Test(alarms, due_while_the_node_was_away_they_ring_at_once)
{
    create(0, ENCLAVES, 0);
    rig_stop(&rig);
    enc_sim_advance(rig.sim, 2 * TIMEOUT_MS);
    rig_start(&rig);
    rig_sleep(&rig, SOON_MS);
    cr_assert_eq(closed_count(), ENCLAVES);
}

Test(alarms, each_rings_in_its_time)
{
    create(0, ENCLAVES, 500);
    rig_restart(&rig);
    for (size_t due = 0; due < ENCLAVES; due += 10) {
        uint64_t first_ms = TIMEOUT_MS - ENCLAVES * 500;
        rig_sleep(&rig, due == 0 ? first_ms : 10 * 500);
        size_t count = closed_count();
        cr_assert(count >= due && count <= due + 1, "%zu at %zu", count, due);
    }
}

Test(alarms, more_than_fit_ring_without_a_start)
{
    create(0, ENCLAVES, 0);
    rig_sleep(&rig, TIMEOUT_MS + SOON_MS);
    cr_assert_eq(closed_count(), ENCLAVES);
}

Test(alarms, one_that_is_set_behind_the_walk_rings)
{
    create(0, ENCLAVES / 2, 0);
    rig_restart(&rig);
    for (size_t i = ENCLAVES / 2; i < ENCLAVES; i++)
        create(i, i + 1, 7);
    rig_sleep(&rig, TIMEOUT_MS + SOON_MS);
    cr_assert_eq(closed_count(), ENCLAVES);
}
