#include "proto/lifecycle.h"

#include "proto/json.h"

/** What a status refuses; OK: nothing. */
static const struct {
    const char *name;
    enum enc_err refusal;
    bool is_final;
} STATUSES[ENC_STATUS_COUNT] = {
    [ENC_STATUS_ACTIVE] = {"active", ENC_ERR_OK, false},
    [ENC_STATUS_PAUSED] = {"paused", ENC_ERR_ENCLAVE_PAUSED, false},
    [ENC_STATUS_TERMINATED] = {"terminated", ENC_ERR_ENCLAVE_TERMINATED, true},
    [ENC_STATUS_MIGRATED] = {"migrated", ENC_ERR_ENCLAVE_MIGRATED, true},
};

/** What a lifecycle event does. */
static const struct lifecycle {
    bool is_one;
    bool wakes; /* admitted while paused */
    bool closes_bundle;
    enum enc_status next;
} EVENTS[ENC_TYPE_COUNT] = {
    [ENC_TYPE_PAUSE] = {true, false, false, ENC_STATUS_PAUSED},
    [ENC_TYPE_RESUME] = {true, true, false, ENC_STATUS_ACTIVE},
    [ENC_TYPE_TERMINATE] = {true, true, true, ENC_STATUS_TERMINATED},
    [ENC_TYPE_MIGRATE] = {true, true, true, ENC_STATUS_MIGRATED},
};

const char *enc_status_name(enum enc_status status)
{
    ENC_CHECK((unsigned)status < ENC_STATUS_COUNT);
    return STATUSES[status].name;
}

bool enc_status_is_final(enum enc_status status)
{
    ENC_CHECK((unsigned)status < ENC_STATUS_COUNT);
    return STATUSES[status].is_final;
}

enum enc_err enc_lifecycle_check(enum enc_status status, enum enc_type type)
{
    ENC_CHECK((unsigned)status < ENC_STATUS_COUNT && (unsigned)type < ENC_TYPE_COUNT);
    bool is_woken = EVENTS[type].wakes && !STATUSES[status].is_final;
    return is_woken ? ENC_ERR_OK : STATUSES[status].refusal;
}

enum enc_status enc_lifecycle_next(enum enc_status status, enum enc_type type)
{
    ENC_CHECK((unsigned)type < ENC_TYPE_COUNT);
    return EVENTS[type].is_one ? EVENTS[type].next : status;
}

bool enc_lifecycle_closes_bundle(enum enc_type type)
{
    ENC_CHECK((unsigned)type < ENC_TYPE_COUNT);
    return EVENTS[type].closes_bundle;
}

/** An object, or the empty text, which reads as *out = NULL. */
static enum enc_err take_object(const struct enc_json **out, struct enc_arena *arena,
                                struct enc_bytes content)
{
    struct enc_json_facts facts;
    struct enc_json *json = NULL;
    *out = NULL;
    if (content.len == 0)
        return ENC_ERR_OK;
    enum enc_err err = enc_json_parse(&json, arena, content, &facts);
    if (err != ENC_ERR_OK)
        return err == ENC_ERR_INVALID_REQUEST ? ENC_ERR_INVALID_CONTENT : err;
    *out = json;
    return json->kind == ENC_JSON_OBJECT ? ENC_ERR_OK : ENC_ERR_INVALID_CONTENT;
}

enum enc_err enc_migrate_parse(struct enc_migrate *out, struct enc_arena *arena,
                               struct enc_bytes content)
{
    const struct enc_json *json;
    ENC_TRY(take_object(&json, arena, content));
    bool is_good = enc_json_hex(enc_json_get(json, "new_sequencer"), out->new_sequencer32, 32) &&
                   enc_json_u64(enc_json_get(json, "prev_seq"), &out->prev_seq) &&
                   enc_json_hex(enc_json_get(json, "ct_root"), out->ct_root32, 32);
    return is_good ? ENC_ERR_OK : ENC_ERR_INVALID_CONTENT;
}

static enum enc_err judge_migrate(struct enc_arena *arena, const struct enc_lifecycle_input *input)
{
    struct enc_migrate migrate;
    ENC_TRY(enc_migrate_parse(&migrate, arena, input->commit->content));
    bool is_current = migrate.prev_seq == input->position.last_seq &&
                      memcmp(migrate.ct_root32, input->position.ct_root32, 32) == 0;
    return is_current ? ENC_ERR_OK : ENC_ERR_INVALID_CONTENT;
}

enum enc_err enc_lifecycle_judge(struct enc_arena *arena, const struct enc_lifecycle_input *input)
{
    const struct enc_json *json;
    enum enc_type type = enc_type_of(input->commit->type);
    ENC_CHECK(EVENTS[type].is_one);
    if (type == ENC_TYPE_MIGRATE)
        return judge_migrate(arena, input);
    ENC_TRY(take_object(&json, arena, input->commit->content));
    bool is_idle = type == ENC_TYPE_RESUME && input->status == ENC_STATUS_ACTIVE;
    return is_idle ? ENC_ERR_INVALID_COMMIT : ENC_ERR_OK;
}
