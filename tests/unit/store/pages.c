/* The pages of a shard as they lie in the file, and what is said of damaged ones. */
#include "tests/unit/store/rig.h"

#include "store/pages.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { PAGE_LEN = 4096, EVENTS = 60 };

static struct rig rig;
static char found[256]; /* the first flaw */

static void setup(void)
{
    rig_init(&rig);
    rig_open(&rig);
    rig_begin(&rig);
    rig_put_enclave(&rig, 1);
    rig_put_events(&rig, 1, 0, EVENTS);
    enc_put_head(&rig.set, 1, enc_bytes_of_text("head"));
    rig_apply(&rig);
    rig_close(&rig);
}

static void teardown(void)
{
    rig_fini(&rig);
}

TestSuite(pages, .init = setup, .fini = teardown);

static void see(void *opaque, const struct enc_page_flaw *flaw)
{
    (void)opaque;
    if (!found[0])
        snprintf(found, sizeof found, "%s: %s", flaw->tree, flaw->what);
}

static uint64_t check(void)
{
    uint64_t count = 0;
    struct enc_store_note note;
    found[0] = '\0';
    cr_assert_eq(enc_data_check_pages(&note, &count, rig.config.dir, see, NULL),
                 ENC_STORE_FAULT_NONE, "%s", note.text);
    return count;
}

static void turn(uint64_t at)
{
    uint8_t byte;
    int fd = open(rig_path(&rig, "shard-0/data.mdb"), O_RDWR);
    cr_assert(fd >= 0 && pread(fd, &byte, 1, (off_t)at) == 1);
    byte ^= 1;
    cr_assert_eq(pwrite(fd, &byte, 1, (off_t)at), 1);
    close(fd);
}

Test(pages, what_the_engine_wrote_is_sound)
{
    cr_assert_eq(check(), 0, "%s", found);
}

Test(pages, an_open_directory_is_refused)
{
    uint64_t count = 0;
    struct enc_store_note note;
    rig_open(&rig);
    cr_assert_eq(enc_data_check_pages(&note, &count, rig.config.dir, see, NULL),
                 ENC_STORE_FAULT_LOCKED);
    rig_close(&rig);
}

/* The first page is that of the newest transaction or of the one before; a turned bit in the facts
 * that both share is told of either. */
Test(pages, first_pages_are_what_they_say)
{
    static const struct {
        uint64_t at;
        const char *flaw;
    } ROWS[] = {{0, ": has another number"},
                {10, ": is of another kind"},
                {16, ": is no first page"},
                {20, ": is no first page"},
                {40, ": is no first page"},
                {PAGE_LEN, ": has another number"},
                {16 + 128, ": is of another transaction than it can be"}};
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        turn(ROWS[i].at);
        cr_expect_gt(check(), 0, "byte %lu", (unsigned long)ROWS[i].at);
        cr_expect_str_eq(found, ROWS[i].flaw, "byte %lu: %s", (unsigned long)ROWS[i].at, found);
        turn(ROWS[i].at);
        cr_expect_eq(check(), 0);
    }
}

/* Whatever byte of the file is another one: no crash, and most heads of pages are told. */
Test(pages, no_byte_leads_astray)
{
    int told = 0;
    for (uint64_t page = 2; page < 12; page++)
        for (uint64_t at = 0; at < 26; at++) {
            turn(page * PAGE_LEN + at);
            told += check() > 0;
            turn(page * PAGE_LEN + at);
        }
    cr_assert_gt(told, 60, "%d", told);
    cr_assert_eq(check(), 0);
}

Test(pages, a_file_that_was_cut_is_told)
{
    cr_assert_eq(truncate(rig_path(&rig, "shard-0/data.mdb"), 5 * PAGE_LEN), 0);
    cr_assert_gt(check(), 0);
    cr_assert_eq(truncate(rig_path(&rig, "shard-0/data.mdb"), 0), 0);
    cr_assert_gt(check(), 0);
    cr_assert_str_eq(found, ": is missing");
}
