/* audit: questions, each bounded in length and time, whatever the other end does. */
#include "net/encctl/audit.h"

#include "net/encctl/out.h"
#include "net/encctl/registry.h"
#include "net/process.h"

#include <stdlib.h>

enum {
    BODY_LEN_MAX = 2 << 20,
    REQUEST_MS = 10000,
    VISIT_MS = 30000,
    NS_PER_MS = 1000000,
    BUSY = 429,
    FAILED = 500,
};

void enc_audit_turn_to(struct enc_audit *audit, const struct enc_target *target)
{
    enc_arena_fini(&audit->ctl->arena);
    enc_ctl_turn_to(audit->ctl, target->url);
    audit->visit_end_ns = enc_process_now_ns() + (uint64_t)VISIT_MS * NS_PER_MS;
    audit->ctl->bounds = (struct enc_http_bounds){BODY_LEN_MAX, REQUEST_MS};
}

/* False: this visit has had its time. */
static bool begin(struct enc_audit *audit, const struct enc_target *target)
{
    uint64_t now_ns = enc_process_now_ns();
    uint64_t left_ms =
        now_ns < audit->visit_end_ns ? (audit->visit_end_ns - now_ns) / NS_PER_MS : 0;
    if (audit->ctl->url != target->url)
        enc_ctl_turn_to(audit->ctl, target->url);
    audit->ctl->bounds.timeout_ms = left_ms < REQUEST_MS ? (long)left_ms + 1 : REQUEST_MS;
    audit->ctl->http_status = 0;
    snprintf(audit->why, sizeof audit->why, "it takes too long");
    return left_ms > 0;
}

static enum enc_reply reply_of(const struct enc_audit *audit, bool is_good)
{
    long status = audit->ctl->http_status;
    if (is_good)
        return ENC_REPLY_GOOD;
    if (status == 0 || status == BUSY || status >= FAILED)
        return ENC_REPLY_NONE;
    return status == 401 || status == 403 ? ENC_REPLY_HIDDEN : ENC_REPLY_REFUSED;
}

enum enc_reply enc_audit_get(struct enc_audit *audit, const struct enc_json **out,
                             const struct enc_target *target, const char *action)
{
    struct enc_answer answer = {.status = 0};
    *out = NULL;
    if (!begin(audit, target))
        return ENC_REPLY_NONE;
    bool is_good = enc_fetch_public(audit->ctl, &answer, target->watch->enclave32, action);
    if (is_good)
        *out = answer.json;
    return reply_of(audit, is_good);
}

static enum enc_reply ask(struct enc_audit *audit, const struct enc_json **out,
                          const struct enc_target *target, struct enc_question *question,
                          struct enc_buffer *members)
{
    *out = NULL;
    question->enclave32 = target->watch->enclave32;
    if (enc_buffer_bytes(members, &question->members) != ENC_ERR_OK || !begin(audit, target))
        return ENC_REPLY_NONE;
    return reply_of(audit, enc_ask(audit->ctl, &audit->ctl->arena, out, question));
}

enum enc_reply enc_audit_post(struct enc_audit *audit, const struct enc_json **out,
                              const struct enc_target *target, const char *action,
                              struct enc_buffer *members)
{
    struct enc_question question = {.action = action};
    return ask(audit, out, target, &question, members);
}

enum enc_reply enc_audit_query(struct enc_audit *audit, const struct enc_json **events,
                               const struct enc_target *target, const char *filter)
{
    struct enc_buffer members;
    const struct enc_json *content = NULL;
    struct enc_question question = {.type = "Query", .action = ""};
    enc_buffer_init(&members, &audit->ctl->arena, 4096);
    enc_json_member(&members, "filter");
    enc_json_put_raw(&members, filter);
    enum enc_reply reply = ask(audit, &content, target, &question, &members);
    *events = enc_json_get(content, "events");
    bool is_list = *events && (*events)->kind == ENC_JSON_ARRAY;
    return reply == ENC_REPLY_GOOD && !is_list ? ENC_REPLY_REFUSED : reply;
}

static enum enc_reply ask_inclusion(struct enc_audit *audit, struct enc_inclusion *proof,
                                    const struct enc_target *target, struct enc_buffer *members,
                                    uint64_t size)
{
    const struct enc_json *content = NULL;
    enc_json_member_u64(members, "tree_size", size);
    enum enc_reply reply = enc_audit_post(audit, &content, target, "/inclusion", members);
    if (reply != ENC_REPLY_GOOD)
        return reply;
    bool is_proof = enc_inclusion_take(proof, content) == ENC_ERR_OK && proof->size == size;
    return is_proof ? ENC_REPLY_GOOD : ENC_REPLY_REFUSED;
}

enum enc_reply enc_audit_leaf(struct enc_audit *audit, struct enc_inclusion *proof,
                              const struct enc_target *target, uint64_t leaf, uint64_t size)
{
    struct enc_buffer members;
    enc_buffer_init(&members, &audit->ctl->arena, 1024);
    enc_json_member_u64(&members, "leaf_index", leaf);
    enum enc_reply reply = ask_inclusion(audit, proof, target, &members, size);
    return reply == ENC_REPLY_GOOD && proof->index != leaf ? ENC_REPLY_REFUSED : reply;
}

enum enc_reply enc_audit_event_leaf(struct enc_audit *audit, struct enc_inclusion *proof,
                                    const struct enc_target *target, const uint8_t id32[32],
                                    uint64_t size)
{
    struct enc_buffer members;
    enc_buffer_init(&members, &audit->ctl->arena, 1024);
    enc_json_member_hex(&members, "event_id", enc_bytes_of(id32, 32));
    return ask_inclusion(audit, proof, target, &members, size);
}

/* A service without /bundle: the ids of the bundle itself, if they may be read. */
static enum enc_reply rebuild(struct enc_audit *audit, struct enc_bundle_proof *proof,
                              const struct enc_target *target, const uint8_t events_root32[32])
{
    enum { BUNDLE_MAX = 256 };
    uint8_t ids32[BUNDLE_MAX][32], root32[32];
    struct enc_frontier frontier = {.count = 0};
    const struct enc_json *events = NULL;
    enum enc_reply reply = enc_audit_query(
        audit, &events, target, "{\"status\":[\"active\",\"updated\",\"deleted\"],\"limit\":256}");
    if (reply != ENC_REPLY_GOOD)
        return reply;
    uint64_t count = 0;
    for (const struct enc_json *e = events->child; e && count < BUNDLE_MAX; e = e->next) {
        const struct enc_json *id = enc_json_get(enc_json_get(e, "event"), "id");
        if (!enc_json_hex(id, ids32[count], 32) ||
            enc_frontier_add(&frontier, NULL, ids32[count]) != ENC_ERR_OK)
            return ENC_REPLY_REFUSED;
        enc_frontier_root(&frontier, root32);
        count++;
        if (memcmp(root32, events_root32, 32) == 0)
            return enc_bundle_prove(proof, ids32[0], 0, count) == ENC_ERR_OK ? ENC_REPLY_GOOD
                                                                             : ENC_REPLY_REFUSED;
    }
    return ENC_REPLY_HIDDEN;
}

enum enc_reply enc_audit_bundle(struct enc_audit *audit, struct enc_bundle_proof *proof,
                                const struct enc_target *target, const uint8_t id32[32])
{
    struct enc_buffer members;
    const struct enc_json *content = NULL;
    enc_buffer_init(&members, &audit->ctl->arena, 1024);
    enc_json_member_hex(&members, "event_id", enc_bytes_of(id32, 32));
    enum enc_reply reply = enc_audit_post(audit, &content, target, "/bundle", &members);
    bool is_proof = reply == ENC_REPLY_GOOD && enc_bundle_proof_take(proof, content) == ENC_ERR_OK;
    return reply == ENC_REPLY_GOOD && !is_proof ? ENC_REPLY_REFUSED : reply;
}

enum enc_reply enc_audit_first_bundle(struct enc_audit *audit, struct enc_bundle_proof *proof,
                                      const struct enc_target *target,
                                      const uint8_t events_root32[32])
{
    const uint8_t *id32 = target->watch->manifest_id32;
    if (memcmp(id32, events_root32, 32) == 0)
        return enc_bundle_prove(proof, id32, 0, 1) == ENC_ERR_OK ? ENC_REPLY_GOOD : ENC_REPLY_NONE;
    enum enc_reply reply =
        target->has_all_proofs ? enc_audit_bundle(audit, proof, target, id32) : ENC_REPLY_HIDDEN;
    return reply == ENC_REPLY_GOOD ? reply : rebuild(audit, proof, target, events_root32);
}

char *enc_audit_keep(struct enc_bytes text)
{
    char *copy = (char *)malloc(text.len + 1);
    ENC_CHECK(copy != NULL);
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    return copy;
}

char *enc_audit_keep_buffer(const struct enc_buffer *buffer)
{
    struct enc_bytes text;
    ENC_CHECK(enc_buffer_bytes(buffer, &text) == ENC_ERR_OK);
    return enc_audit_keep(text);
}
