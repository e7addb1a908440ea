/*
 * Every status against every type, and every story of six lifecycle events, told from the text of
 * protocol.md 4.1.
 */
#include "proto/lifecycle.h"

#include <criterion/criterion.h>
#include <stdio.h>

TestSuite(lifecycle);

static const char *const STATUSES[] = {"active", "paused", "terminated", "migrated"};
static const char *const LIFECYCLE[] = {"Pause", "Resume", "Terminate", "Migrate"};

static bool is(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

/** "Terminated or Migrated: every commit rejected. Paused: only Resume, Terminate, Migrate." */
static enum enc_err told_check(const char *status, const char *type)
{
    if (is(status, "terminated"))
        return ENC_ERR_ENCLAVE_TERMINATED;
    if (is(status, "migrated"))
        return ENC_ERR_ENCLAVE_MIGRATED;
    if (is(status, "paused") && !is(type, "Resume") && !is(type, "Terminate") &&
        !is(type, "Migrate"))
        return ENC_ERR_ENCLAVE_PAUSED;
    return ENC_ERR_OK;
}

static const char *told_next(const char *status, const char *type)
{
    return is(type, "Pause")       ? "paused"
           : is(type, "Resume")    ? "active"
           : is(type, "Terminate") ? "terminated"
           : is(type, "Migrate")   ? "migrated"
                                   : status;
}

static const char *type_name(unsigned type)
{
    return type == ENC_TYPE_CONTENT ? "Post" : enc_type_row((enum enc_type)type)->name;
}

Test(lifecycle, every_status_and_type)
{
    for (unsigned s = 0; s < ENC_STATUS_COUNT; s++)
        for (unsigned t = 0; t < ENC_TYPE_COUNT; t++) {
            enum enc_status status = (enum enc_status)s;
            enum enc_type type = enc_type_of(enc_bytes_of_text(type_name(t)));
            cr_assert_eq(type, t);
            cr_assert_str_eq(enc_status_name(status), STATUSES[s]);
            cr_assert_eq(enc_lifecycle_check(status, type), told_check(STATUSES[s], type_name(t)),
                         "%s on %s", type_name(t), STATUSES[s]);
            cr_assert_str_eq(enc_status_name(enc_lifecycle_next(status, type)),
                             told_next(STATUSES[s], type_name(t)));
        }
}

/** Steps 6 and 8 of one event; the position is the one a Migrate names. */
static enum enc_err submit(enum enc_status *status, const char *type)
{
    static const char ZEROS[] = "0000000000000000000000000000000000000000000000000000000000000000";
    static _Alignas(16) uint8_t memory[4096];
    char content[256];
    struct enc_arena arena;
    snprintf(content, sizeof content,
             "{\"new_sequencer\":\"%s\",\"prev_seq\":3,\"ct_root\":\"%s\"}", ZEROS, ZEROS);
    const struct enc_commit commit = {.type = enc_bytes_of_text(type),
                                      .content = enc_bytes_of_text(content)};
    const struct enc_lifecycle_input input = {
        .commit = &commit, .status = *status, .position = {.last_seq = 3}};
    enc_arena_init_fixed(&arena, memory, sizeof memory);
    ENC_TRY(enc_lifecycle_check(*status, enc_type_of(commit.type)));
    ENC_TRY(enc_lifecycle_judge(&arena, &input));
    *status = enc_lifecycle_next(*status, enc_type_of(commit.type));
    return ENC_ERR_OK;
}

/** The same, told: a refusal changes nothing. */
static enum enc_err told_submit(const char **status, const char *type)
{
    enum enc_err err = told_check(*status, type);
    if (err == ENC_ERR_OK && is(type, "Resume") && is(*status, "active"))
        err = ENC_ERR_INVALID_COMMIT;
    if (err == ENC_ERR_OK)
        *status = told_next(*status, type);
    return err;
}

Test(lifecycle, every_story_of_six_events)
{
    for (unsigned story = 0; story < 4096; story++) {
        enum enc_status status = ENC_STATUS_ACTIVE;
        const char *told = "active";
        bool was_final = false;
        for (unsigned i = 0; i < 6; i++) {
            const char *type = LIFECYCLE[story >> (2 * i) & 3];
            enum enc_err err = submit(&status, type);
            cr_assert_eq(err, told_submit(&told, type), "story %u, event %u", story, i);
            cr_assert_str_eq(enc_status_name(status), told);
            cr_assert(!was_final || err != ENC_ERR_OK, "nothing follows the end");
            was_final |= enc_status_is_final(status);
        }
    }
}
