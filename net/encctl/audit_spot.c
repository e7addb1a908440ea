/* audit: events at random, the state, and what clients were promised. */
#include "net/encctl/audit.h"

#include "net/encctl/out.h"
#include "net/encctl/registry.h"
#include "net/process.h"

#include <inttypes.h>
#include <stdlib.h>

static void tell(struct enc_audit *audit, struct enc_target *target, const char *kind,
                 const struct enc_audit_head *head, const char *question)
{
    struct enc_buffer members;
    struct enc_finding finding = {.kind = kind, .heads = {head, NULL}, .text = question};
    enc_buffer_init(&members, &audit->ctl->arena, 4096);
    enc_json_member_text(&members, "question", enc_bytes_of_text(question));
    if (enc_buffer_bytes(&members, &finding.members) == ENC_ERR_OK)
        enc_audit_tell(audit, target, &finding);
}

static void tell_two_events(struct enc_audit *audit, struct enc_target *target,
                            const char *promised, const struct enc_event *shown)
{
    struct enc_buffer members;
    struct enc_finding finding = {.kind = "two-events", .text = ""};
    enc_buffer_init(&members, &audit->ctl->arena, SIZE_MAX / 4);
    enc_json_put_raw(&members, "\"events\":[");
    enc_json_put_raw(&members, promised);
    enc_json_put_raw(&members, ",");
    enc_event_put_json(&members, shown, false);
    enc_json_put_raw(&members, "]");
    if (enc_buffer_bytes(&members, &finding.members) == ENC_ERR_OK)
        enc_audit_tell(audit, target, &finding);
}

static uint64_t random_below(uint64_t bound)
{
    uint8_t bytes8[8];
    enc_process_random(bytes8, sizeof bytes8);
    return enc_be64_get(bytes8) % bound;
}

/* Whether an event of that time must be in a bundle of the log at the time of the head. */
static bool is_due(const struct enc_watch *watch, const struct enc_audit_head *head,
                   uint64_t timestamp_ms)
{
    return watch->timeout_ms > 0 &&
           head->sth.t_ms > timestamp_ms + watch->timeout_ms + ENC_EVIDENCE_SLACK_MS;
}

static bool is_sound(const struct enc_audit *audit, struct enc_event *event,
                     const struct enc_watch *watch)
{
    bool is_ours = false;
    for (size_t i = 0; i < watch->key_count; i++)
        is_ours = is_ours || memcmp(watch->keys32[i], event->sequencer32, 32) == 0;
    return is_ours && enc_event_check(event, audit->ctl->curve, NULL) == ENC_EVENT_SOUND &&
           memcmp(event->commit.enclave32, watch->enclave32, 32) == 0;
}

/* ---- one event in the log ---- */

enum place {
    PLACE_HELD,    /* in the log under the head, proved as far as the service can */
    PLACE_OPEN,    /* not yet, or nobody may know */
    PLACE_MISSING, /* the node says so */
    PLACE_FALSE,   /* a proof that does not hold */
};

static enum place find_place(struct enc_audit *audit, const struct enc_target *target,
                             const struct enc_audit_head *head, const uint8_t id32[32])
{
    struct enc_inclusion inclusion;
    struct enc_bundle_proof bundle;
    enum enc_reply reply = enc_audit_event_leaf(audit, &inclusion, target, id32, head->sth.ts);
    if (reply == ENC_REPLY_REFUSED && audit->ctl->http_status != 200)
        return PLACE_MISSING;
    if (reply == ENC_REPLY_NONE || reply == ENC_REPLY_HIDDEN)
        return PLACE_OPEN;
    if (reply != ENC_REPLY_GOOD || !enc_inclusion_verify(&inclusion, head->sth.r32))
        return PLACE_FALSE;
    if (!target->has_all_proofs)
        return PLACE_HELD;
    reply = enc_audit_bundle(audit, &bundle, target, id32);
    if (reply == ENC_REPLY_NONE || reply == ENC_REPLY_HIDDEN)
        return PLACE_OPEN;
    bool is_in = reply == ENC_REPLY_GOOD && memcmp(bundle.event_id32, id32, 32) == 0 &&
                 enc_bundle_verify(&bundle, inclusion.events_root32);
    return is_in ? PLACE_HELD : PLACE_FALSE;
}

/* ---- samples ---- */

/* The event at a place; false: hidden, or none. */
static bool event_at(struct enc_audit *audit, struct enc_event *event,
                     const struct enc_target *target, uint64_t seq)
{
    char filter[192];
    const struct enc_json *list = NULL;
    snprintf(filter, sizeof filter,
             "{\"seq\":{\"start_at\":%" PRIu64 ",\"end_at\":%" PRIu64
             "},\"status\":[\"active\",\"updated\",\"deleted\"],\"limit\":1}",
             seq, seq);
    return enc_audit_query(audit, &list, target, filter) == ENC_REPLY_GOOD && list->child &&
           enc_event_take(event, &audit->ctl->arena, enc_json_get(list->child, "event")) ==
               ENC_ERR_OK &&
           event->seq == seq;
}

static void spot_event(struct enc_audit *audit, struct enc_target *target,
                       const struct enc_audit_head *head)
{
    struct enc_event event;
    if (!event_at(audit, &event, target, random_below(target->seq + 1)))
        return;
    if (!is_sound(audit, &event, target->watch)) {
        tell(audit, target, "bad-proof", head, "an event of the log is not what was signed");
        return;
    }
    enum place place = find_place(audit, target, head, event.id32);
    if (place == PLACE_FALSE)
        tell(audit, target, "bad-proof", head, "the proof that an event is in the log");
    if (place == PLACE_MISSING && is_due(target->watch, head, event.timestamp_ms))
        tell(audit, target, "missing", head, "an event that is shown is not in the log");
}

static void spot_state(struct enc_audit *audit, struct enc_target *target,
                       const struct enc_audit_head *head)
{
    struct enc_buffer members;
    struct enc_smt_proof proof;
    struct enc_inclusion inclusion;
    uint8_t state_hash32[32], key21[21];
    uint64_t leaf = 0;
    const struct enc_json *content = NULL;
    const uint8_t *key32 = target->watch->keys32[0];
    enc_buffer_init(&members, &audit->ctl->arena, 1024);
    enc_json_put_raw(&members, "\"namespace\":\"rbac\"");
    enc_json_member_hex(&members, "key", enc_bytes_of(key32, 32));
    enc_smt_key(key21, ENC_SMT_RBAC, key32);
    enum enc_reply reply = enc_audit_post(audit, &content, target, "/state", &members);
    if (reply == ENC_REPLY_NONE || reply == ENC_REPLY_HIDDEN)
        return;
    if (reply != ENC_REPLY_GOOD || enc_smt_proof_take(&proof, content) != ENC_ERR_OK ||
        memcmp(proof.key21, key21, 21) != 0 ||
        !enc_json_hex(enc_json_get(content, "state_hash"), state_hash32, 32) ||
        !enc_smt_proof_verify(&proof, state_hash32)) {
        tell(audit, target, "bad-proof", head, "the proof of a key's roles");
        return;
    }
    bool is_in_log = enc_json_u64(enc_json_get(content, "li"), &leaf) && leaf < head->sth.ts;
    if (!is_in_log ||
        enc_audit_leaf(audit, &inclusion, target, leaf, head->sth.ts) != ENC_REPLY_GOOD)
        return;
    if (memcmp(inclusion.state_hash32, state_hash32, 32) != 0 ||
        !enc_inclusion_verify(&inclusion, head->sth.r32))
        tell(audit, target, "bad-proof", head, "the state in the log");
}

/* The first event again: a node that began anew has signed another one. */
static void spot_manifest(struct enc_audit *audit, struct enc_target *target)
{
    struct enc_event event;
    const struct enc_json *json = NULL;
    struct enc_watch *watch = target->watch;
    if (enc_audit_get(audit, &json, target, "/info/manifest") == ENC_REPLY_GOOD &&
        !enc_registry_check_manifest(audit->ctl, &event, json, watch->enclave32) &&
        memcmp(event.sequencer32, watch->keys32[0], 32) == 0 &&
        memcmp(event.id32, watch->manifest_id32, 32) != 0)
        tell_two_events(audit, target, watch->manifest, &event);
}

void enc_audit_spot(struct enc_audit *audit, struct enc_target *target,
                    const struct enc_audit_head *head)
{
    if (audit->spot_count == 0)
        return;
    spot_manifest(audit, target);
    spot_state(audit, target, head);
    for (uint64_t i = 0; i < audit->spot_count; i++)
        spot_event(audit, target, head);
}

/* ---- promises ---- */

/* The last event of the log, when it is the end of the last bundle under the head, proves that
 * there is nothing behind it. */
static bool put_end(struct enc_audit *audit, struct enc_buffer *members,
                    const struct enc_target *target, const struct enc_audit_head *head,
                    const struct enc_promise *promise)
{
    struct enc_event last;
    struct enc_inclusion inclusion;
    struct enc_bundle_proof bundle;
    if (!target->has_all_proofs || target->seq >= promise->seq ||
        !event_at(audit, &last, target, target->seq) ||
        enc_audit_event_leaf(audit, &inclusion, target, last.id32, head->sth.ts) !=
            ENC_REPLY_GOOD ||
        enc_audit_bundle(audit, &bundle, target, last.id32) != ENC_REPLY_GOOD)
        return false;
    enc_json_put_raw(members, "\"events\":[");
    enc_json_put_raw(members, promise->event);
    enc_json_put_raw(members, ",");
    enc_event_put_json(members, &last, false);
    enc_json_put_raw(members, "],\"inclusion\":{");
    enc_inclusion_put(members, &inclusion);
    enc_json_put_raw(members, "},\"bundle\":{");
    enc_bundle_proof_put(members, &bundle);
    enc_json_put_raw(members, "}");
    return true;
}

static void tell_missing(struct enc_audit *audit, struct enc_target *target,
                         const struct enc_audit_head *head, const struct enc_promise *promise)
{
    struct enc_event other;
    struct enc_buffer members;
    struct enc_finding finding = {.kind = "dropped", .heads = {head, NULL}, .text = ""};
    if (promise->event && event_at(audit, &other, target, promise->seq) && !other.is_erased &&
        is_sound(audit, &other, target->watch) && memcmp(other.id32, promise->id32, 32) != 0) {
        tell_two_events(audit, target, promise->event, &other);
        return;
    }
    enc_buffer_init(&members, &audit->ctl->arena, SIZE_MAX / 4);
    if (promise->event && is_due(target->watch, head, promise->timestamp_ms) &&
        put_end(audit, &members, target, head, promise) &&
        enc_buffer_bytes(&members, &finding.members) == ENC_ERR_OK)
        enc_audit_tell(audit, target, &finding);
    else
        tell(audit, target, "missing", head, "an event for which there is a receipt");
}

static bool says(const struct enc_audit *audit, const char *code)
{
    return strncmp(audit->why, code, strlen(code)) == 0;
}

static void check_promise(struct enc_audit *audit, struct enc_target *target,
                          const struct enc_audit_head *head, struct enc_promise *promise)
{
    enum place place = find_place(audit, target, head, promise->id32);
    bool is_waiting =
        place == PLACE_MISSING && (says(audit, "NOT_BUNDLED") || says(audit, "LEAF_NOT_FOUND") ||
                                   says(audit, "INVALID_RANGE"));
    if (place == PLACE_HELD && !promise->is_kept)
        enc_audit_note(audit, target, "kept", "a promised event is in the log");
    promise->is_kept = promise->is_kept || place == PLACE_HELD;
    if (place == PLACE_FALSE)
        tell(audit, target, "bad-proof", head, "the proof that a promised event is in the log");
    if (place == PLACE_MISSING &&
        (!is_waiting || is_due(target->watch, head, promise->timestamp_ms)))
        tell_missing(audit, target, head, promise);
}

void enc_audit_promises(struct enc_audit *audit, struct enc_target *target,
                        const struct enc_audit_head *head)
{
    for (struct enc_promise *p = audit->promises; p; p = p->next)
        if (memcmp(p->enclave32, target->watch->enclave32, 32) == 0 &&
            memcmp(p->sequencer32, head->key32, 32) == 0)
            check_promise(audit, target, head, p);
}

/* ---- the file of receipts ---- */

static void put_text(struct enc_buffer *out, const char *name, const struct enc_json *value)
{
    struct enc_bytes text;
    if (enc_json_text(value, &text))
        enc_json_member_text(out, name, text);
    else if (value)
        enc_json_member_raw(out, name, value->text);
}

/* The event that a receipt says its commit has become, as JSON. */
static void put_event(struct enc_buffer *out, const struct enc_json *commit,
                      const struct enc_json *receipt)
{
    static const char *const OF_COMMIT[] = {"from", "type", "content", "exp", "tags"};
    static const char *const OF_RECEIPT[] = {"id",  "hash",     "enclave", "timestamp", "sequencer",
                                             "seq", "type_seq", "sig",     "seq_sig"};
    enc_json_put_raw(out, "{");
    for (size_t i = 0; i < sizeof OF_RECEIPT / sizeof OF_RECEIPT[0]; i++)
        put_text(out, OF_RECEIPT[i], enc_json_get(receipt, OF_RECEIPT[i]));
    for (size_t i = 0; i < sizeof OF_COMMIT / sizeof OF_COMMIT[0]; i++)
        put_text(out, OF_COMMIT[i], enc_json_get(commit, OF_COMMIT[i]));
    enc_json_put_raw(out, "}");
}

static void fill(struct enc_promise *promise, const struct enc_event *receipt)
{
    memcpy(promise->enclave32, receipt->commit.enclave32, 32);
    memcpy(promise->id32, receipt->id32, 32);
    memcpy(promise->sequencer32, receipt->sequencer32, 32);
    promise->seq = receipt->seq;
    promise->timestamp_ms = receipt->timestamp_ms;
}

static const char *take_event(struct enc_ctl *ctl, struct enc_promise *promise,
                              struct enc_bytes text)
{
    struct enc_json *json = NULL;
    struct enc_json_facts facts;
    struct enc_event event;
    struct enc_buffer clean;
    if (enc_json_parse(&json, &ctl->arena, text, &facts) != ENC_ERR_OK ||
        enc_event_take(&event, &ctl->arena, json) != ENC_ERR_OK || event.is_erased)
        return "no event, and no commit with its receipt";
    if (enc_event_check(&event, ctl->curve, NULL) != ENC_EVENT_SOUND)
        return "a receipt that nobody has signed";
    enc_buffer_init(&clean, &ctl->arena, SIZE_MAX / 4);
    enc_event_put_json(&clean, &event, false);
    fill(promise, &event);
    promise->event = enc_audit_keep_buffer(&clean);
    return NULL;
}

/* NULL, or what is wrong with the line. */
static const char *take_promise(struct enc_audit *audit, struct enc_promise *promise,
                                const struct enc_json *json)
{
    struct enc_event receipt;
    struct enc_buffer event;
    struct enc_bytes text;
    const struct enc_json *commit = enc_json_get(json, "commit");
    const struct enc_json *inner = enc_json_get(json, "receipt");
    bool is_event = enc_json_get(json, "content") != NULL;
    if (is_event)
        return take_event(audit->ctl, promise, json->text);
    if (enc_receipt_take(&receipt, inner ? inner : json) != ENC_ERR_OK)
        return "no receipt";
    fill(promise, &receipt);
    if (!commit)
        return NULL;
    enc_buffer_init(&event, &audit->ctl->arena, SIZE_MAX / 4);
    put_event(&event, commit, inner);
    return enc_buffer_bytes(&event, &text) == ENC_ERR_OK ? take_event(audit->ctl, promise, text)
                                                         : "too long";
}

static bool take_line(struct enc_audit *audit, struct enc_bytes line, size_t number)
{
    struct enc_json *json = NULL;
    struct enc_json_facts facts;
    struct enc_promise *promise = (struct enc_promise *)calloc(1, sizeof *promise);
    ENC_CHECK(promise != NULL);
    const char *wrong = enc_json_parse(&json, &audit->ctl->arena, line, &facts) == ENC_ERR_OK
                            ? take_promise(audit, promise, json)
                            : "no JSON";
    if (wrong)
        enc_out_fault("--receipt: line %zu: %s", number, wrong);
    promise->next = audit->promises;
    audit->promises = promise;
    return !wrong;
}

bool enc_audit_read_promises(struct enc_audit *audit, const char *path)
{
    struct enc_bytes text;
    bool is_good = enc_ctl_read_file(audit->ctl, &text, path);
    for (size_t number = 1; is_good && text.len > 0; number++) {
        const uint8_t *end = (const uint8_t *)memchr(text.data, '\n', text.len);
        size_t len = end ? (size_t)(end - text.data) : text.len;
        size_t step = end ? len + 1 : len;
        is_good = len == 0 || take_line(audit, enc_bytes_of(text.data, len), number);
        text = enc_bytes_of(text.data + step, text.len - step);
    }
    return is_good;
}
