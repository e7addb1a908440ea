/** kill -9 at any moment: every acknowledged set is there wholly, and no part of another. */
#include "tests/unit/store/rig.h"

#include <sys/wait.h>
#include <unistd.h>

enum { ENCLAVES = 8, EVENTS_PER_SET = 3, ROUNDS = 6 };

/** A set per enclave with the next events, its head telling the count; one apply for all. */
static void apply_step(struct rig *rig, uint64_t step)
{
    struct enc_writeset sets[ENCLAVES];
    const struct enc_writeset *list[ENCLAVES];
    rig_begin(rig);
    for (uint64_t i = 0; i < ENCLAVES; i++) {
        enc_writeset_init(&rig->set, &rig->arena);
        if (step == 0)
            rig_put_enclave(rig, i + 1);
        rig_put_events(rig, i + 1, step * EVENTS_PER_SET, EVENTS_PER_SET);
        uint8_t *head = ENC_ARENA_NEW(&rig->arena, uint8_t, 8);
        enc_be64_put(head, step + 1);
        enc_put_head(&rig->set, i + 1, enc_bytes_of(head, 8));
        sets[i] = rig->set;
        list[i] = &sets[i];
    }
    if (enc_store_apply(rig->store, &rig->facts, list, ENCLAVES) != ENC_OUTCOME_OK)
        _exit(2);
}

static void write_until_killed(struct rig *rig, int acks, uint64_t step)
{
    if (rig_try(rig) != ENC_STORE_FAULT_NONE)
        _exit(1);
    for (;; step++) {
        apply_step(rig, step);
        if (write(acks, &step, sizeof step) != sizeof step)
            _exit(3);
    }
}

static uint64_t steps_of(struct rig *rig, uint64_t ord)
{
    struct enc_bytes head;
    rig_ok(enc_snap_head(rig->snap, &head, ord));
    cr_assert_eq(head.len, 8);
    return enc_be64_get(head.data);
}

static void check_whole(struct rig *rig, uint64_t steps)
{
    struct enc_store_counts counts;
    struct enc_bytes record;
    rig_check_sound(rig);
    rig_ok(enc_store_counts(rig->store, &counts));
    cr_assert_eq(counts.rows[ENC_TABLE_EVENT], steps * ENCLAVES * EVENTS_PER_SET);
    for (uint64_t ord = 1; ord <= ENCLAVES; ord++) {
        cr_assert_eq(steps_of(rig, ord), steps);
        rig_ok(enc_snap_event(rig->snap, &record,
                              (struct enc_event_place){ord, steps * EVENTS_PER_SET - 1}));
    }
}

/**
 * Let a child go on at step, kill it after some acknowledgements; the number of steps it had told
 * us of.
 */
static uint64_t run_and_kill(struct rig *rig, uint64_t step, unsigned wanted)
{
    int acks[2], status;
    uint64_t acked = 0;
    cr_assert_eq(pipe(acks), 0);
    pid_t child = rig_fork();
    if (child == 0)
        write_until_killed(rig, acks[1], step);
    close(acks[1]);
    for (unsigned i = 0; i < wanted; i++)
        cr_assert_eq(read(acks[0], &acked, sizeof acked), (ssize_t)sizeof acked);
    usleep(wanted * 97 % 700); /* somewhere within an apply */
    cr_assert_eq(kill(child, SIGKILL), 0);
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    while (read(acks[0], &acked, sizeof acked) == (ssize_t)sizeof acked)
        continue;
    close(acks[0]);
    return acked + 1;
}

static void survive(bool sync)
{
    static struct rig rig;
    uint64_t step = 0;
    rig_init(&rig);
    rig.config.sync = sync;
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint64_t acked = run_and_kill(&rig, step, 5 + round * 3);
        rig_open(&rig);
        step = steps_of(&rig, (rig_look(&rig), 1));
        cr_assert(step == acked || step == acked + 1, "%llu acknowledged, %llu found",
                  (unsigned long long)acked, (unsigned long long)step);
        check_whole(&rig, step);
        rig_close(&rig);
    }
    rig_fini(&rig);
}

Test(crash, killed_in_a_loop_of_synced_applies)
{
    survive(true);
}

Test(crash, killed_in_a_loop_of_applies_without_sync)
{
    survive(false);
}
