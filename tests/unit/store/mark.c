#include "store/mark.h"

#include "tests/unit/store/rig.h"

#include <stdio.h>
#include <unistd.h>

static struct rig rig;

static void setup(void)
{
    rig_init(&rig);
    rig_open(&rig);
    rig_close(&rig);
}

static void teardown(void)
{
    rig_fini(&rig);
}

TestSuite(mark, .init = setup, .fini = teardown);

static const char *held(void)
{
    static char why[ENC_HELD_LEN_MAX];
    cr_assert_eq(enc_data_held(why, &rig.note, rig.dir), ENC_STORE_FAULT_NONE);
    return why;
}

Test(mark, a_held_directory_opens_only_for_those_who_say_so)
{
    cr_assert_str_eq(held(), "");
    cr_assert_eq(enc_data_hold(&rig.note, rig.dir, "it is old"), ENC_STORE_FAULT_NONE);
    cr_assert_str_eq(held(), "it is old");
    cr_assert_eq(rig_try(&rig), ENC_STORE_FAULT_HELD);
    cr_assert_not_null(strstr(rig.note.text, "it is old"), "%s", rig.note.text);
    rig.config.opens_held = true;
    rig_open(&rig);
    cr_assert_eq(enc_data_let_go(&rig.note, rig.dir), ENC_STORE_FAULT_LOCKED);
    rig_close(&rig);
    rig.config.opens_held = false;
    cr_assert_eq(enc_data_let_go(&rig.note, rig.dir), ENC_STORE_FAULT_NONE);
    cr_assert_str_eq(held(), "");
    cr_assert_eq(enc_data_let_go(&rig.note, rig.dir), ENC_STORE_FAULT_NONE, "twice is no fault");
    rig_open(&rig);
}

Test(mark, a_reason_is_one_line_and_an_empty_mark_holds_too)
{
    char text[2 * ENC_HELD_LEN_MAX];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    cr_assert_eq(enc_data_hold(&rig.note, rig.dir, text), ENC_STORE_FAULT_NONE);
    cr_assert_eq(strlen(held()), ENC_HELD_LEN_MAX - 1);
    rig_write(&rig, "held", "");
    cr_assert_gt(strlen(held()), 0);
    rig_write(&rig, "held", "one\ntwo\n");
    cr_assert_str_eq(held(), "one");
}

Test(mark, a_directory_that_cannot_be_entered_is_a_fault)
{
    char why[ENC_HELD_LEN_MAX];
    cr_assert_eq(enc_data_hold(&rig.note, "/nowhere/at/all", "x"), ENC_STORE_FAULT_DIRECTORY);
    cr_assert_eq(unlink(rig_path(&rig, "held")), -1);
    cr_assert_eq(enc_data_held(why, &rig.note, rig_path(&rig, "version")),
                 ENC_STORE_FAULT_DIRECTORY);
}
