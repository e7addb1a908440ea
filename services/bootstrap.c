/* Enclaves that the node makes for somebody who proves to be their owner (11.6). */
#include "proto/sha256.h"
#include "services/answer.h"
#include "services/founding.h"
#include "services/handlers.h"
#include "services/inside.h"
#include "services/owners.h"
#include "services/post.h"

enum { MEMBERS_MAX = 4096 };

static void enter_own(struct enc_exchange *exchange)
{
    exchange->is_founding = true;
    enc_commit_post(exchange);
}

/* Proof that the asker is the owner to be, bound to no enclave because none exists yet. */
static enum enc_err check_asker(struct enc_exchange *exchange, const uint8_t owner32[32])
{
    struct enc_envelope *envelope = &exchange->envelope;
    if (exchange->host->config.bootstrap_open)
        return ENC_ERR_OK;
    envelope->content = exchange->json;
    envelope->has_from = true;
    memcpy(envelope->from32, owner32, 32);
    memset(exchange->enclave32, 0, 32);
    ENC_TRY(enc_exchange_identify(exchange, enc_host_now_ms(exchange->host)));
    return exchange->reader.is_known ? ENC_ERR_OK : ENC_ERR_INVALID_SESSION;
}

static enum enc_err take_meta(struct enc_founding *founding, const struct enc_json *json)
{
    const struct enc_json *meta = enc_json_get(json, "meta");
    founding->meta = ENC_LIT("{}");
    if (!meta)
        return ENC_ERR_OK;
    if (meta->kind != ENC_JSON_OBJECT || enc_json_get(meta, "nonce"))
        return ENC_ERR_INVALID_REQUEST;
    if (meta->count > 0) /* blanks alone are no members to put a comma behind */
        founding->meta = meta->text;
    return ENC_ERR_OK;
}

/* Who wants which enclave, and whether they may. */
static enum enc_err take_owner(struct enc_exchange *exchange, struct enc_founding *founding)
{
    const struct enc_json *owner = enc_json_get(exchange->json, "owner");
    *founding = (struct enc_founding){.members32 = NULL};
    if (!enc_json_hex(owner, founding->owner32, 32) || !enc_point_lifts(founding->owner32))
        return ENC_ERR_INVALID_REQUEST;
    ENC_TRY(take_meta(founding, exchange->json));
    return check_asker(exchange, founding->owner32);
}

static void found(struct enc_exchange *exchange, const struct enc_founding *founding)
{
    enum enc_err err = enc_founding_sign(exchange, founding);
    if (err != ENC_ERR_OK)
        enc_answer_err(exchange, err);
    else
        enter_own(exchange);
}

/* ---- one enclave per owner: of all who ask for one owner's, one at a time looks and makes ---- */

static void bootstrap_job(struct enc_job *job);

static void find_or_found(struct enc_exchange *exchange, const struct enc_founding *founding)
{
    bool has_one = false;
    struct enc_event manifest;
    enum enc_err err = enc_owner_find(exchange, &has_one, &manifest, founding->owner32);
    if (err != ENC_ERR_OK)
        enc_answer_err(exchange, err);
    else if (has_one)
        enc_answer_existing(exchange, &manifest);
    else
        found(exchange, founding);
}

/* An exchange that waits belongs to the turnstile, which may have given it to another job already.
 */
static void enter_turnstile(struct enc_exchange *exchange, const struct enc_founding *founding)
{
    bool is_first = false;
    const uint8_t service = (uint8_t)exchange->service;
    const struct enc_bytes parts[] = {enc_bytes_of(&service, 1),
                                      enc_bytes_of(founding->owner32, 32)};
    enc_sha256_parts(exchange->pass.key32, parts, 2);
    enum enc_err err = enc_turnstile_enter(exchange->host->founders, &is_first, &exchange->pass);
    if (err != ENC_ERR_OK) {
        enc_answer_err(exchange, err);
        return;
    }
    if (!is_first)
        return;
    exchange->is_leading = true;
    find_or_found(exchange, founding);
}

static struct enc_exchange *exchange_of_pass(struct enc_link *link)
{
    return (struct enc_exchange *)((uint8_t *)link - offsetof(struct enc_exchange, pass));
}

void enc_founding_leave(struct enc_exchange *exchange)
{
    if (!exchange->is_leading)
        return;
    exchange->is_leading = false;
    struct enc_link *list = enc_turnstile_leave(exchange->host->founders, &exchange->pass);
    while (list) {
        struct enc_exchange *waiting = exchange_of_pass(list);
        list = list->next;
        enc_exchange_submit(waiting, bootstrap_job);
    }
}

static void bootstrap_job(struct enc_job *job)
{
    struct enc_exchange *exchange = enc_exchange_of_job(job);
    struct enc_founding founding;
    enum enc_err err = take_owner(exchange, &founding);
    if (err != ENC_ERR_OK)
        enc_answer_err(exchange, err);
    else if (enc_owner_has_one(enc_service_at(exchange->service)))
        enter_turnstile(exchange, &founding);
    else
        found(exchange, &founding);
}

void enc_handle_bootstrap(struct enc_exchange *exchange)
{
    enum enc_err err = enc_exchange_parse(exchange);
    if (err != ENC_ERR_OK)
        enc_answer_err(exchange, err);
    else if (enc_body_kind(exchange->json) == ENC_BODY_COMMIT)
        enc_commit_enter(exchange); /* a client-signed Manifest, answered as POST / does (16.75) */
    else if (exchange->json->kind != ENC_JSON_OBJECT)
        enc_answer_err(exchange, ENC_ERR_INVALID_REQUEST);
    else
        enc_exchange_submit(exchange, bootstrap_job);
}

/* ---- groups ---- */

static bool has_key(const uint8_t *keys32, size_t count, const uint8_t key32[32])
{
    for (size_t i = 0; i < count; i++)
        if (memcmp(keys32 + 32 * i, key32, 32) == 0)
            return true;
    return false;
}

static enum enc_err take_members(struct enc_exchange *exchange, struct enc_founding *founding)
{
    const struct enc_json *list = enc_json_get(exchange->json, "members");
    size_t count = list ? list->count : 0;
    if ((list && list->kind != ENC_JSON_ARRAY) || count >= MEMBERS_MAX)
        return ENC_ERR_INVALID_REQUEST;
    uint8_t *keys32 = (uint8_t *)enc_arena_take(&exchange->arena, 32 * (count + 1));
    if (!keys32)
        return ENC_ERR_TOO_LARGE;
    memcpy(keys32, founding->owner32, 32);
    founding->member_count = 1;
    founding->members32 = keys32;
    for (const struct enc_json *at = list ? list->child : NULL; at; at = at->next) {
        uint8_t *key32 = keys32 + 32 * founding->member_count;
        if (!enc_json_hex(at, key32, 32) || !enc_point_lifts(key32))
            return ENC_ERR_INVALID_REQUEST;
        founding->member_count += !has_key(keys32, founding->member_count, key32);
    }
    return ENC_ERR_OK;
}

static enum enc_err take_name(struct enc_exchange *exchange, struct enc_founding *founding)
{
    struct enc_bytes name;
    struct enc_buffer meta;
    if (!enc_json_text(enc_json_get(exchange->json, "name"), &name))
        return ENC_ERR_INVALID_REQUEST;
    enc_buffer_init(&meta, &exchange->arena, ENC_FOUNDING_LEN_MAX);
    enc_json_put_raw(&meta, "{");
    enc_json_member_text(&meta, "name", name);
    enc_json_put_raw(&meta, "}");
    return enc_buffer_bytes(&meta, &founding->meta);
}

static enum enc_err found_group(struct enc_exchange *exchange)
{
    struct enc_founding founding;
    const struct enc_json *creator = enc_json_get(exchange->json, "creator");
    if (!enc_json_hex(creator, founding.owner32, 32) || !enc_point_lifts(founding.owner32))
        return ENC_ERR_INVALID_REQUEST;
    ENC_TRY(take_name(exchange, &founding));
    ENC_TRY(check_asker(exchange, founding.owner32));
    ENC_TRY(take_members(exchange, &founding));
    return enc_founding_sign(exchange, &founding);
}

static void group_job(struct enc_job *job)
{
    struct enc_exchange *exchange = enc_exchange_of_job(job);
    enum enc_err err = found_group(exchange);
    exchange->is_group = true;
    if (err != ENC_ERR_OK)
        enc_answer_err(exchange, err);
    else
        enter_own(exchange);
}

void enc_handle_create_group(struct enc_exchange *exchange)
{
    enum enc_err err = enc_exchange_parse(exchange);
    if (err == ENC_ERR_OK && exchange->json->kind != ENC_JSON_OBJECT)
        err = ENC_ERR_INVALID_REQUEST;
    if (err != ENC_ERR_OK)
        enc_answer_err(exchange, err);
    else
        enc_exchange_submit(exchange, group_job);
}
