/** The data directory: what is made, what is kept, what is refused. */
#include "store/op.h"
#include "tests/unit/store/rig.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct rig rig;

static void setup(void)
{
    rig_init(&rig);
}

static void teardown(void)
{
    rig_fini(&rig);
}

TestSuite(data, .init = setup, .fini = teardown);

static unsigned mode_of(const char *path)
{
    struct stat facts;
    cr_assert_eq(stat(path, &facts), 0, "%s: %s", path, strerror(errno));
    return facts.st_mode & 0777;
}

static void check_refused(enum enc_store_fault fault, const char *in_note)
{
    enum enc_store_fault got = rig_try(&rig);
    cr_assert_eq(got, fault, "%d: %s", (int)got, rig.note.text);
    cr_assert_null(rig.data);
    cr_assert_not_null(strstr(rig.note.text, in_note), "%s", rig.note.text);
}

/** A directory with an enclave in it, closed. */
static void make_used(void)
{
    rig_open(&rig);
    rig_begin(&rig);
    rig_put_enclave(&rig, enc_store_next_ord(rig.store));
    rig_apply(&rig);
    rig_close(&rig);
}

static void check_used(void)
{
    struct enc_bytes head;
    rig_open(&rig);
    rig_ok(enc_snap_head(rig_look(&rig), &head, 1));
    rig_check_sound(&rig);
}

Test(data, a_new_directory_is_ours_alone)
{
    umask(0);
    rig_open(&rig);
    cr_assert_str_empty(rig.note.text);
    cr_assert_eq(mode_of(rig.dir), 0700);
    cr_assert_eq(mode_of(rig_path(&rig, "lock")), 0600);
    cr_assert_eq(mode_of(rig_path(&rig, "version")), 0600);
    cr_assert_eq(mode_of(rig_path(&rig, "shard-0")), 0700);
    cr_assert_eq(mode_of(rig_path(&rig, "shard-0/data.mdb")), 0600);
    cr_assert_neq(access(rig_path(&rig, "version.new"), F_OK), 0);
}

Test(data, what_was_applied_is_there_after_reopening)
{
    make_used();
    check_used();
}

Test(data, may_be_made_before_it_is_opened)
{
    cr_assert_eq(enc_data_make_dir(rig.dir, &rig.note), ENC_STORE_FAULT_NONE);
    cr_assert_eq(mode_of(rig.dir), 0700);
    rig_write(&rig, "node.key", "somebody else's file");
    cr_assert_eq(enc_data_make_dir(rig.dir, &rig.note), ENC_STORE_FAULT_NONE);
    make_used();
    check_used();
    cr_assert_eq(access(rig_path(&rig, "node.key"), F_OK), 0);
}

Test(data, without_sync_it_is_there_after_reopening_too)
{
    rig.config.sync = false;
    make_used();
    check_used();
}

Test(data, a_second_opening_in_the_same_process_is_refused)
{
    rig_open(&rig);
    struct enc_data *second = rig.data;
    enum enc_store_fault fault = enc_data_open(&second, &rig.note, &rig.config);
    cr_assert_eq(fault, ENC_STORE_FAULT_LOCKED);
    cr_assert_null(second);
}

static void hold_open(struct rig *other, int ready)
{
    bool opened = rig_try(other) == ENC_STORE_FAULT_NONE;
    if (opened && write(ready, "r", 1) == 1)
        pause();
    _exit(1);
}

Test(data, a_second_process_is_refused_at_once_and_let_in_after_the_first_died)
{
    int ready[2], status;
    char byte, pid[16];
    cr_assert_eq(pipe(ready), 0);
    pid_t first = rig_fork();
    if (first == 0)
        hold_open(&rig, ready[1]);
    cr_assert_eq(read(ready[0], &byte, 1), 1);
    snprintf(pid, sizeof pid, "process %d", (int)first);
    check_refused(ENC_STORE_FAULT_LOCKED, pid);
    cr_assert_eq(kill(first, SIGKILL), 0);
    cr_assert_eq(waitpid(first, &status, 0), first);
    rig_open(&rig);
}

Test(data, another_format_is_refused)
{
    make_used();
    rig_write(&rig, "version", "enclaved data 1\nshards 1\n");
    check_refused(ENC_STORE_FAULT_FORMAT, "format 1");
    rig_write(&rig, "version", "enclaved data 3\nshards 1\n");
    check_used();
}

Test(data, a_version_file_of_somebody_else_is_refused)
{
    static const char *const TEXTS[] = {"",
                                        "1\n",
                                        "enclaved data 3\n",
                                        "enclaved data 3\nshards 0\n",
                                        "enclaved data 3\nshards 1",
                                        "enclaved data 01\nshards 1\n",
                                        "enclaved data 3\nshards 1\nmore\n",
                                        "enclaved data -1\nshards 1\n"};
    make_used();
    for (size_t i = 0; i < sizeof TEXTS / sizeof TEXTS[0]; i++) {
        rig_write(&rig, "version", TEXTS[i]);
        check_refused(ENC_STORE_FAULT_FORMAT, "version");
    }
}

Test(data, another_node_key_is_refused_and_changes_nothing)
{
    make_used();
    rig.node32[31] ^= 1;
    check_refused(ENC_STORE_FAULT_NODE, "another key");
    rig.node32[31] ^= 1;
    check_used();
}

Test(data, a_directory_open_to_others_is_refused)
{
    static const mode_t MODES[] = {0710, 0701, 0750, 0755, 0770, 0777};
    make_used();
    for (size_t i = 0; i < sizeof MODES / sizeof MODES[0]; i++) {
        cr_assert_eq(chmod(rig.dir, MODES[i]), 0);
        check_refused(ENC_STORE_FAULT_ACCESS, "chmod 700");
        cr_assert_eq(enc_data_make_dir(rig.dir, &rig.note), ENC_STORE_FAULT_ACCESS);
    }
    cr_assert_eq(chmod(rig.dir, 0700), 0);
    check_used();
}

/* The directory of somebody else: ours when we are root, root's when we are not. */
Test(data, a_directory_of_another_user_is_refused)
{
    char root[] = "/";
    if (geteuid() == 0) {
        make_used();
        cr_assert_eq(chown(rig.dir, 12345, 12345), 0);
    } else {
        rig.config.dir = root;
    }
    check_refused(ENC_STORE_FAULT_ACCESS, "belongs to user");
}

Test(data, what_is_no_directory_is_refused)
{
    char nowhere[128];
    snprintf(nowhere, sizeof nowhere, "%s/missing/data", rig.root);
    rig.config.dir = nowhere;
    check_refused(ENC_STORE_FAULT_DIRECTORY, "missing/data: No such file");
    snprintf(nowhere, sizeof nowhere, "%s/file", rig.root);
    int fd = open(nowhere, O_CREAT | O_WRONLY, 0600);
    cr_assert_geq(fd, 0);
    close(fd);
    check_refused(ENC_STORE_FAULT_DIRECTORY, "Not a directory");
}

Test(data, shard_count_is_fixed_at_creation)
{
    rig.config.shard_count = 3;
    make_used();
    rig.config.shard_count = 2;
    check_refused(ENC_STORE_FAULT_SHARDS, "made with 3 shards, not 2");
    rig.config.shard_count = 0;
    rig_open(&rig);
    cr_assert_eq(enc_data_shard_count(rig.data), 3);
    rig_close(&rig);
    rig.config.shard_count = 3;
    rig_open(&rig);
}

Test(data, too_many_shards_are_refused)
{
    rig.config.shard_count = 100000;
    check_refused(ENC_STORE_FAULT_SHARDS, "too many");
}

Test(data, enclaves_are_spread_over_the_shards_by_id)
{
    uint8_t id32[32] = {0};
    rig.config.shard_count = 3;
    rig_open(&rig);
    for (uint64_t i = 0; i < 9; i++) {
        enc_be64_put(id32, i);
        cr_assert_eq(enc_data_shard(rig.data, id32),
                     enc_data_shard_at(rig.data, (uint32_t)(i % 3)));
    }
}

static void take_shard_1(void)
{
    (void)enc_data_shard_at(rig.data, 1);
}

Test(data, a_shard_out_of_range_is_a_mistake)
{
    rig_open(&rig);
    rig_must_abort(take_shard_1);
}

Test(data, a_missing_shard_is_refused_not_made_anew)
{
    rig.config.shard_count = 2;
    make_used();
    cr_assert_eq(rename(rig_path(&rig, "shard-1"), rig_path(&rig, "gone")), 0);
    check_refused(ENC_STORE_FAULT_DAMAGED, "shard-1 is missing");
    cr_assert_neq(access(rig_path(&rig, "shard-1"), F_OK), 0);
}

Test(data, exchanged_shards_are_refused)
{
    rig.config.shard_count = 2;
    make_used();
    cr_assert_eq(rename(rig_path(&rig, "shard-1"), rig_path(&rig, "kept")), 0);
    cr_assert_eq(rename(rig_path(&rig, "shard-0"), rig_path(&rig, "shard-1")), 0);
    cr_assert_eq(rename(rig_path(&rig, "kept"), rig_path(&rig, "shard-0")), 0);
    check_refused(ENC_STORE_FAULT_DAMAGED, "another place");
}

static void del_fact(const char *name)
{
    struct enc_row_key key;
    rig_open(&rig);
    rig_begin(&rig);
    enc_row_key_init(&key);
    enc_row_key_bytes(&key, enc_bytes_of_text(name));
    enc_op_del(&rig.set, ENC_TABLE_META, &key);
    rig_apply(&rig);
}

Test(data, a_shard_that_does_not_say_what_it_is_is_refused)
{
    make_used();
    del_fact("identity");
    rig_close(&rig);
    check_refused(ENC_STORE_FAULT_DAMAGED, "shard-0");
}

Test(data, a_shard_whose_fence_is_gone_takes_nothing)
{
    make_used();
    del_fact("epoch");
    rig_begin(&rig);
    enc_put_head(&rig.set, 1, ENC_LIT("unfenced"));
    cr_assert_eq(rig_try_apply(&rig), ENC_OUTCOME_FAILED);
}

Test(data, a_lost_version_file_is_not_guessed)
{
    make_used();
    cr_assert_eq(unlink(rig_path(&rig, "version")), 0);
    check_refused(ENC_STORE_FAULT_DAMAGED, "no version file");
}

Test(data, an_interrupted_creation_is_finished)
{
    rig.config.shard_count = 2;
    rig_open(&rig);
    rig_close(&rig);
    cr_assert_eq(unlink(rig_path(&rig, "version")), 0);
    cr_assert_eq(rename(rig_path(&rig, "shard-1"), rig_path(&rig, "gone")), 0);
    make_used();
    check_used();
}

Test(data, a_shard_that_was_half_written_when_it_was_made_is_made_again)
{
    cr_assert(mkdir(rig_path(&rig, ""), 0700) == 0 || errno == EEXIST);
    cr_assert_eq(mkdir(rig_path(&rig, "shard-0.new"), 0700), 0);
    rig_write(&rig, "shard-0.new/data.mdb", "half of a page");
    make_used();
    check_used();
    cr_assert_neq(access(rig_path(&rig, "shard-0.new"), F_OK), 0);
}

Test(data, garbage_in_a_shard_is_refused)
{
    char garbage[8192];
    make_used();
    memset(garbage, 'x', sizeof garbage - 1);
    garbage[sizeof garbage - 1] = '\0';
    rig_write(&rig, "shard-0/data.mdb", garbage);
    check_refused(ENC_STORE_FAULT_DAMAGED, "shard-0");
}

Test(data, an_empty_shard_is_refused)
{
    make_used();
    rig_write(&rig, "shard-0/data.mdb", "");
    check_refused(ENC_STORE_FAULT_DAMAGED, "shard-0");
}

/** Leave room for that many bytes of address space beside what is used already. */
static void bound_space(uint64_t room)
{
    char statm[64] = "";
    int fd = open("/proc/self/statm", O_RDONLY);
    cr_assert(fd >= 0 && read(fd, statm, sizeof statm - 1) > 0);
    close(fd);
    uint64_t pages = strtoul(statm, NULL, 10);
    cr_assert_gt(pages, 0);
    struct rlimit limit = {0};
    limit.rlim_cur = limit.rlim_max = pages * (uint64_t)sysconf(_SC_PAGESIZE) + room;
    cr_assert_eq(setrlimit(RLIMIT_AS, &limit), 0);
}

Test(data, the_default_map_shrinks_to_what_there_is)
{
    struct enc_store_counts counts;
    bound_space((uint64_t)80 << 30);
    rig.config.map_len = (uint64_t)1 << 40;
    check_refused(ENC_STORE_FAULT_ENGINE, "shard-0: Cannot allocate memory");
    rig.config.map_len = 0;
    rig_open(&rig);
    rig_ok(enc_store_counts(rig.store, &counts));
    cr_assert_eq(counts.map_len, (uint64_t)64 << 30);
}

Test(data, the_default_map_is_a_tebibyte)
{
    struct enc_store_counts counts;
    rig.config.map_len = 0;
    rig_open(&rig);
    rig_ok(enc_store_counts(rig.store, &counts));
    cr_assert_eq(counts.map_len, (uint64_t)1 << 40);
}

Test(data, a_map_length_is_rounded_up_to_whole_pages)
{
    struct enc_store_counts counts;
    rig.config.map_len = 1000001;
    rig_open(&rig);
    rig_ok(enc_store_counts(rig.store, &counts));
    cr_assert_geq(counts.map_len, 1000001);
    cr_assert_eq(counts.map_len % (uint64_t)sysconf(_SC_PAGESIZE), 0);
}
