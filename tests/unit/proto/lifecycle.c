#include "proto/lifecycle.h"

#include "logic.h"

#include <criterion/criterion.h>
#include <signal.h>

/** Every status against every type is in tests/exhaustive. */
Test(lifecycle, names_and_ends)
{
    static const char *const NAMES[] = {"active", "paused", "terminated", "migrated"};
    for (unsigned i = 0; i < ENC_STATUS_COUNT; i++) {
        cr_assert_str_eq(enc_status_name((enum enc_status)i), NAMES[i]);
        cr_assert_eq(enc_status_is_final((enum enc_status)i), i >= 2);
    }
}

static enum enc_err judge(enum enc_status status, const char *type, const char *content)
{
    struct enc_commit commit = commit_by("owner", type, text("%s", content), NULL);
    struct enc_lifecycle_input input = {.commit = &commit, .status = status};
    input.position.last_seq = 7;
    memset(input.position.ct_root32, 0xab, 32);
    return enc_lifecycle_judge(arena(), &input);
}

static const char ROOT[] = "abababababababababababababababababababababababababababababababab";

Test(lifecycle, c14_resume_on_an_active_enclave)
{
    EXPECT_ERR(judge(ENC_STATUS_ACTIVE, "Resume", ""), INVALID_COMMIT);
    EXPECT_OK(judge(ENC_STATUS_PAUSED, "Resume", ""));
    EXPECT_OK(enc_lifecycle_check(ENC_STATUS_ACTIVE, ENC_TYPE_RESUME));
}

Test(lifecycle, c79_content_comes_before_state)
{
    EXPECT_ERR(judge(ENC_STATUS_ACTIVE, "Resume", "no json"), INVALID_CONTENT);
}

Test(lifecycle, c17_content_is_empty_or_an_object)
{
    const char *const TYPES[] = {"Pause", "Resume", "Terminate"};
    for (unsigned i = 0; i < 3; i++) {
        EXPECT_OK(judge(ENC_STATUS_PAUSED, TYPES[i], ""));
        EXPECT_OK(judge(ENC_STATUS_PAUSED, TYPES[i], "{}"));
        EXPECT_OK(judge(ENC_STATUS_PAUSED, TYPES[i], " {'why':'maintenance'} "));
        EXPECT_ERR(judge(ENC_STATUS_PAUSED, TYPES[i], "[]"), INVALID_CONTENT);
        EXPECT_ERR(judge(ENC_STATUS_PAUSED, TYPES[i], " "), INVALID_CONTENT);
        EXPECT_ERR(judge(ENC_STATUS_PAUSED, TYPES[i], "null"), INVALID_CONTENT);
        EXPECT_ERR(judge(ENC_STATUS_PAUSED, TYPES[i], "{'a':1,'a':1}"), INVALID_CONTENT);
    }
    EXPECT_ERR(judge(ENC_STATUS_ACTIVE, "Migrate", ""), INVALID_CONTENT);
    EXPECT_ERR(judge(ENC_STATUS_ACTIVE, "Migrate", "{}"), INVALID_CONTENT);
}

static enum enc_err migrate(const char *sequencer, const char *seq, const char *root)
{
    return judge(ENC_STATUS_PAUSED, "Migrate",
                 (const char *)text("{'new_sequencer':%s,'prev_seq':%s,'ct_root':%s,'x':0}",
                                    sequencer, seq, root)
                     .data);
}

Test(lifecycle, c15_migrate_agrees_with_the_log)
{
    const char *key = (const char *)text("'%s'", ROOT).data, *root = key;
    EXPECT_OK(migrate(key, "7", root));
    EXPECT_ERR(migrate(key, "6", root), INVALID_CONTENT);
    EXPECT_ERR(migrate(key, "8", root), INVALID_CONTENT);
    EXPECT_ERR(
        migrate(key, "7", "'cdababababababababababababababababababababababababababababababab'"),
        INVALID_CONTENT);
    EXPECT_ERR(migrate("'00'", "7", root), INVALID_CONTENT);
    EXPECT_ERR(migrate("null", "7", root), INVALID_CONTENT);
    EXPECT_ERR(migrate(key, "'7'", root), INVALID_CONTENT);
    EXPECT_ERR(migrate(key, "7.0", root), INVALID_CONTENT);
    EXPECT_ERR(migrate(key, "7", "7"), INVALID_CONTENT);
}

Test(lifecycle, migrate_is_read)
{
    struct enc_migrate migrate_out;
    EXPECT_OK(
        enc_migrate_parse(&migrate_out, arena(),
                          text("{'new_sequencer':'%s','prev_seq':9,'ct_root':'%s'}", ROOT, ROOT)));
    cr_assert_eq(migrate_out.prev_seq, 9);
    expect_hex(enc_bytes_of(migrate_out.new_sequencer32, 32), ROOT);
    expect_hex(enc_bytes_of(migrate_out.ct_root32, 32), ROOT);
    struct enc_arena none = small_arena(0);
    EXPECT_ERR(enc_migrate_parse(&migrate_out, &none, ENC_LIT("{}")), TOO_LARGE);
}

Test(lifecycle, final_events_close_the_bundle)
{
    for (unsigned type = 0; type < ENC_TYPE_COUNT; type++)
        cr_assert_eq(enc_lifecycle_closes_bundle((enum enc_type)type),
                     type == ENC_TYPE_TERMINATE || type == ENC_TYPE_MIGRATE);
}

Test(lifecycle, other_types_are_our_mistake, .signal = SIGABRT)
{
    judge(ENC_STATUS_ACTIVE, "Grant", "");
}
