#include "store/dir.h"

#include "tests/unit/store/rig.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static struct rig rig;
static struct enc_dir dir = {.path = NULL, .fd = -1, .lock_fd = -1};

static void setup(void)
{
    rig_init(&rig);
    cr_assert_eq(enc_dir_enter(&dir, &rig.note, rig.dir), ENC_STORE_FAULT_NONE, "%s",
                 rig.note.text);
}

static void teardown(void)
{
    enc_dir_leave(&dir);
    rig_fini(&rig);
}

TestSuite(dir, .init = setup, .fini = teardown);

Test(dir, one_at_a_time_and_the_other_is_named)
{
    char due[32];
    struct enc_dir second;
    struct stat facts;
    cr_assert_eq(stat(rig.dir, &facts), 0);
    cr_assert_eq(facts.st_mode & 0777, 0700);
    cr_assert_eq(enc_dir_enter(&second, &rig.note, rig.dir), ENC_STORE_FAULT_LOCKED);
    snprintf(due, sizeof due, "process %d", (int)getpid());
    cr_assert_not_null(strstr(rig.note.text, due), "%s", rig.note.text);
    cr_assert_eq(second.fd, -1);
    cr_assert_eq(second.lock_fd, -1);
    enc_dir_leave(&dir);
    enc_dir_leave(&dir);
    cr_assert_eq(enc_dir_enter(&second, &rig.note, rig.dir), ENC_STORE_FAULT_NONE);
    enc_dir_leave(&second);
}

Test(dir, open_to_others_is_refused)
{
    struct enc_dir again;
    enc_dir_leave(&dir);
    cr_assert_eq(chmod(rig.dir, 0750), 0);
    cr_assert_eq(enc_dir_enter(&again, &rig.note, rig.dir), ENC_STORE_FAULT_ACCESS);
    cr_assert_not_null(strstr(rig.note.text, "mode 750"), "%s", rig.note.text);
    cr_assert_eq(chmod(rig.dir, 0700), 0);
    cr_assert_eq(enc_dir_enter(&dir, &rig.note, rig.dir), ENC_STORE_FAULT_NONE);
}

Test(dir, the_version_file_says_what_was_founded)
{
    uint32_t count = 7;
    cr_assert_eq(enc_dir_version(&dir, &rig.note, &count), ENC_STORE_FAULT_NONE);
    cr_assert_eq(count, 0, "there is none yet");
    cr_assert_eq(enc_dir_found(&dir, &rig.note, 12), ENC_STORE_FAULT_NONE);
    cr_assert_eq(enc_dir_version(&dir, &rig.note, &count), ENC_STORE_FAULT_NONE);
    cr_assert_eq(count, 12);
    cr_assert_neq(access(rig_path(&rig, "version.new"), F_OK), 0);
}

Test(dir, only_what_we_would_have_written_is_understood)
{
    static const char *const TEXTS[] = {
        "",
        "enclaved data 3\n",
        "enclaved data 3\nshards 0\n",
        "enclaved data 3\nshards 2",
        "enclaved data 3\nshards 2\n\n",
        "enclaved data 3\nshards 02\n",
        "enclaved data 3\nshards -2\n",
        "enclaved data 1\nshards 2\n",
        "enclaved data 3\nshards 99999999999999999999\n",
    };
    uint32_t count;
    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++) {
        rig_write(&rig, "version", TEXTS[i]);
        cr_assert_eq(enc_dir_version(&dir, &rig.note, &count), ENC_STORE_FAULT_FORMAT, "row %zu",
                     i);
    }
    rig_write(&rig, "version", "enclaved data 3\nshards 2\n");
    cr_assert_eq(enc_dir_version(&dir, &rig.note, &count), ENC_STORE_FAULT_NONE);
    cr_assert_eq(count, 2);
}
