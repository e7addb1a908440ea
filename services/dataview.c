#include "services/dataview.h"

#include "proto/json.h"
#include "proto/type.h"

static const struct enc_mapper *mapper_of(const struct enc_dataview *view, struct enc_bytes type)
{
    for (size_t i = 0; i < view->mapper_count; i++)
        if (enc_bytes_is(type, view->mappers[i].type))
            return &view->mappers[i];
    return NULL;
}

/* Content that is no JSON stays NULL: the rules say what that means. */
static enum enc_err parse_content(struct enc_fact *fact)
{
    struct enc_json *json = NULL;
    struct enc_json_facts facts;
    enum enc_err err = enc_json_parse(&json, fact->arena, fact->commit->content, &facts);
    fact->content = err == ENC_ERR_OK ? json : NULL;
    return err == ENC_ERR_TOO_LARGE ? err : ENC_ERR_OK;
}

static enum enc_err rule(const struct enc_mapper *mapper, struct enc_fact *fact)
{
    if (!mapper || !mapper->rule)
        return ENC_ERR_OK;
    ENC_TRY(parse_content(fact));
    return mapper->rule(fact);
}

enum enc_err enc_dataview_judge(const struct enc_dataview *view, struct enc_fact *fact,
                                const struct enc_commit *target)
{
    enum enc_type type = enc_type_of(fact->commit->type);
    if (type == ENC_TYPE_CONTENT)
        return rule(mapper_of(view, fact->commit->type), fact);
    if (type != ENC_TYPE_UPDATE || !target)
        return ENC_ERR_OK;
    const struct enc_mapper *mapper = mapper_of(view, target->type);
    return mapper && mapper->rules_updates ? rule(mapper, fact) : ENC_ERR_OK;
}

static bool is_own(const struct enc_fact *fact)
{
    return memcmp(fact->commit->enclave32, fact->own32, 32) == 0;
}

static enum enc_err map_change(struct enc_rows *rows, struct enc_fact *fact, enc_map_fn *map)
{
    if (!map || !enc_commit_target(fact->commit, fact->target32))
        return ENC_ERR_OK;
    ENC_TRY(parse_content(fact));
    return map(rows, fact);
}

/* What the own log holds has passed its rule; what is pushed in was judged elsewhere. */
static enum enc_err map_content(const struct enc_dataview *view, struct enc_rows *rows,
                                struct enc_fact *fact)
{
    const struct enc_mapper *mapper = mapper_of(view, fact->commit->type);
    if (!mapper || !mapper->map)
        return ENC_ERR_OK;
    enum enc_err err = is_own(fact) ? parse_content(fact) : rule(mapper, fact);
    if (err == ENC_ERR_INVALID_CONTENT || err == ENC_ERR_UNAUTHORIZED)
        return ENC_ERR_OK;
    return err == ENC_ERR_OK ? mapper->map(rows, fact) : err;
}

static enum enc_err map_event(const struct enc_dataview *view, struct enc_rows *rows,
                              struct enc_fact *fact)
{
    switch (enc_type_of(fact->commit->type)) {
    case ENC_TYPE_UPDATE:
        return map_change(rows, fact, view->update);
    case ENC_TYPE_DELETE:
        return map_change(rows, fact, view->remove);
    default:
        return map_content(view, rows, fact);
    }
}

enum enc_err enc_dataview_project(const struct enc_dataview *view, struct enc_rows *rows,
                                  struct enc_fact *fact)
{
    const struct enc_sync sync = {fact->event->seq, fact->event->timestamp_ms};
    ENC_TRY(map_event(view, rows, fact));
    return is_own(fact) ? enc_sync_put(rows, fact->own32, &sync) : ENC_ERR_OK;
}

/* ---- sync_state ---- */

enum { SYNC_LEN = 16 };

enum enc_err enc_sync_put(struct enc_rows *rows, const uint8_t enclave32[32],
                          const struct enc_sync *sync)
{
    uint8_t value[SYNC_LEN];
    enc_be64_put(value, sync->last_seq);
    enc_be64_put(value + 8, sync->updated_ms);
    return enc_rows_put(rows, ENC_VIEW_SYNC, enc_bytes_of(enclave32, 32),
                        enc_bytes_of(value, sizeof value));
}

enum enc_err enc_sync_get(const struct enc_rows *rows, const uint8_t enclave32[32], bool *found,
                          struct enc_sync *sync)
{
    struct enc_bytes value;
    ENC_TRY(enc_rows_get(rows, found, &value, ENC_VIEW_SYNC, enc_bytes_of(enclave32, 32)));
    return !*found || enc_sync_take(sync, value) ? ENC_ERR_OK : ENC_ERR_INTERNAL;
}

bool enc_sync_take(struct enc_sync *sync, struct enc_bytes value)
{
    if (value.len != SYNC_LEN)
        return false;
    sync->last_seq = enc_be64_get(value.data);
    sync->updated_ms = enc_be64_get(value.data + 8);
    return true;
}
