#include "store/copy.h"

#include "store/dir.h"
#include "tests/unit/store/rig.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ENCLAVES = 3, EVENTS = 400, SWEEP = 256 };

static struct rig rig;

static void fill(void)
{
    for (uint64_t ord = 1; ord <= ENCLAVES; ord++) {
        rig_begin(&rig);
        rig_put_enclave(&rig, ord);
        rig_put_events(&rig, ord, 0, EVENTS);
        rig_apply(&rig);
    }
}

static void setup(void)
{
    rig_init(&rig);
    rig_open(&rig);
    fill();
}

static void teardown(void)
{
    rig_fini(&rig);
}

TestSuite(copy, .init = setup, .fini = teardown);

/* A second environment over the same file is for another process only. */
static int outside(int (*act)(void))
{
    int status = 0;
    pid_t pid = rig_fork();
    if (pid == 0)
        _exit(act());
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int look(void)
{
    struct enc_data_facts facts;
    struct enc_store_note note;
    if (enc_data_look(&facts, &note, rig.dir) != ENC_STORE_FAULT_NONE)
        return 1;
    return facts.format != ENC_DATA_FORMAT || facts.shard_count != 1 ||
           memcmp(facts.node_pub32, rig.node32, 32) != 0;
}

Test(copy, a_directory_says_what_it_is_while_it_is_open)
{
    cr_assert_eq(outside(look), 0);
    rig_begin(&rig);
    rig_put_events(&rig, 1, EVENTS, 1);
    rig_apply(&rig); /* we are not fenced by it */
}

Test(copy, what_is_no_data_directory_is_refused)
{
    struct enc_data_facts facts;
    rig_close(&rig);
    cr_assert_eq(unlink(rig_path(&rig, "version")), 0);
    cr_assert_eq(enc_data_look(&facts, &rig.note, rig.dir), ENC_STORE_FAULT_DAMAGED);
    cr_assert_eq(enc_data_look(&facts, &rig.note, rig_path(&rig, "none")),
                 ENC_STORE_FAULT_DIRECTORY);
    cr_assert_eq(access(rig_path(&rig, "none"), F_OK), -1, "looking makes nothing");
}

static int copy_to_second(void)
{
    struct enc_copy_facts facts;
    struct enc_store_note note;
    struct enc_copy copy = {.dir = rig.dir};
    char folder[160];
    snprintf(folder, sizeof folder, "%s/second", rig.dir);
    if (mkdir(folder, 0700) != 0)
        return 1;
    copy.fd = open(rig_path(&rig, "second/data.mdb"), O_WRONLY | O_CREAT, 0600);
    if (copy.fd < 0 || enc_shard_copy(&facts, &note, &copy) != ENC_STORE_FAULT_NONE)
        return 2;
    return facts.copy_len == 0 || facts.copy_len > facts.source_len || facts.txn_id == 0 ? 3 : 0;
}

Test(copy, a_copy_is_one_moment_beside_the_owner)
{
    cr_assert_eq(outside(copy_to_second), 0);
    rig_begin(&rig);
    rig_put_events(&rig, 1, EVENTS, EVENTS);
    rig_apply(&rig);
    rig_close(&rig);
    cr_assert_eq(rename(rig_path(&rig, "second/data.mdb"), rig_path(&rig, "shard-0/data.mdb")), 0);
    rig_open(&rig);
    rig_check_sound(&rig);
    struct enc_store_counts counts;
    rig_ok(enc_store_counts(rig.store, &counts));
    cr_assert_eq(counts.rows[ENC_TABLE_EVENT], ENCLAVES * EVENTS, "what came after is not in it");
}

static int no_space(void)
{
    struct enc_copy_facts facts;
    struct enc_store_note note;
    struct enc_copy copy = {.dir = rig.dir, .fd = open("/dev/full", O_WRONLY)};
    enum enc_store_fault fault = enc_shard_copy(&facts, &note, &copy);
    return fault == ENC_STORE_FAULT_ENGINE && strstr(note.text, "No space") ? 0 : 1;
}

Test(copy, a_full_disk_is_told)
{
    cr_assert_eq(outside(no_space), 0);
}

static void count(void *opaque, uint32_t index, const struct enc_copy_facts *facts)
{
    cr_assert_eq(index, 0);
    cr_assert_leq(facts->copy_len, facts->source_len);
    ++*(int *)opaque;
}

Test(copy, compaction_keeps_every_row_and_frees_pages)
{
    struct enc_store_counts before;
    struct enc_store_counts after;
    int told = 0;
    cr_assert_eq(enc_data_compact(&rig.note, rig.dir, count, &told), ENC_STORE_FAULT_LOCKED);
    for (uint64_t seq = EVENTS; seq < EVENTS + 64; seq++) { /* free pages by many small writes */
        rig_begin(&rig);
        rig_put_events(&rig, 1, seq, 1);
        rig_apply(&rig);
    }
    rig_ok(enc_store_counts(rig.store, &before));
    rig_close(&rig);
    cr_assert_eq(enc_data_compact(&rig.note, rig.dir, count, &told), ENC_STORE_FAULT_NONE, "%s",
                 rig.note.text);
    cr_assert_eq(told, 1);
    cr_assert_eq(access(rig_path(&rig, "shard-0/data.mdb.new"), F_OK), -1);
    rig_open(&rig);
    rig_check_sound(&rig);
    rig_ok(enc_store_counts(rig.store, &after));
    cr_assert_arr_eq(after.rows, before.rows, sizeof after.rows);
    cr_assert_lt(after.used_len, before.used_len);
}

/* A reader that was killed in the middle of a copy: it holds its pages until somebody looks. */
static int die_reading(void)
{
    struct enc_copy_facts facts;
    struct enc_store_note note;
    int ends[2];
    if (pipe(ends) != 0)
        return 1;
    pid_t pid = fork();
    if (pid == 0) {
        struct enc_copy copy = {.dir = rig.dir, .fd = ends[1]}; /* nobody empties the pipe */
        _exit(enc_shard_copy(&facts, &note, &copy) != ENC_STORE_FAULT_NONE);
    }
    char byte;
    bool is_reading = read(ends[0], &byte, 1) == 1;
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    return is_reading ? 0 : 2;
}

static uint64_t used_len(void)
{
    struct enc_store_counts counts;
    rig_ok(enc_store_counts(rig.store, &counts));
    return counts.used_len;
}

static void write_heads(uint64_t times)
{
    for (uint64_t i = 0; i < times; i++) {
        rig_begin(&rig);
        enc_put_head(&rig.set, 1, ENC_LIT("another head"));
        rig_apply(&rig);
    }
}

Test(copy, what_a_killed_reader_pinned_is_let_go)
{
    rig_begin(&rig);
    rig_put_events(&rig, 1, EVENTS, 4 * EVENTS); /* more than a pipe holds */
    rig_apply(&rig);
    cr_assert_eq(outside(die_reading), 0);
    write_heads(SWEEP); /* one of them looks */
    uint64_t settled = used_len();
    write_heads(2 * SWEEP);
    cr_assert_eq(used_len(), settled, "the file goes on growing");
}
