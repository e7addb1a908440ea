/* verify: what a node says beside its log, held against the log. */
#include "net/encctl/out.h"
#include "net/encctl/verify.h"
#include "net/process.h"
#include "proto/proof_json.h"

#include <inttypes.h>
#include <stdio.h>

enum { SAMPLE_COUNT = 5 };

/* ---- before the log: what the node stands for ---- */

static bool take_head(struct enc_verify *verify)
{
    struct enc_answer answer;
    if (!enc_fetch_public(verify->ctl, &answer, verify->enclave32, "/sth"))
        return false;
    verify->has_head = enc_sth_take(&verify->head, answer.json) == ENC_ERR_OK;
    return verify->has_head ||
           enc_verify_fail(verify, "malformed", 0, "the node's tree head is malformed");
}

static bool take_info(struct enc_verify *verify)
{
    struct enc_answer answer;
    struct enc_bytes service = ENC_LIT("");
    if (!enc_fetch_public(verify->ctl, &answer, verify->enclave32, "/info/enclave"))
        return false;
    bool is_named = enc_json_text(enc_json_get(answer.json, "service"), &service);
    verify->has_more_proofs = is_named && enc_bytes_is(service, "enc-node");
    verify->service = enc_arena_copy(&verify->ctl->arena, service);
    bool is_good = enc_json_u64(enc_json_get(answer.json, "seq"), &verify->info_seq) &&
                   enc_json_hex(enc_json_get(answer.json, "state_hash"), verify->info_state32, 32);
    return is_good || enc_verify_fail(verify, "malformed", 0, "/info/enclave is malformed");
}

bool enc_verify_ask_node(struct enc_verify *verify)
{
    return take_head(verify) && take_info(verify);
}

/* ---- the log ---- */

static bool take_element(void *opaque, const struct enc_json *element)
{
    struct enc_verify *verify = (struct enc_verify *)opaque;
    bool is_good = enc_verify_element(verify, element);
    enc_arena_fini(&verify->page);
    return is_good;
}

bool enc_verify_read_log(struct enc_verify *verify)
{
    struct enc_pages pages = {
        .ctl = verify->ctl,
        .enclave32 = verify->enclave32,
        .element = take_element,
        .opaque = verify,
    };
    static const char ALL[] = "{\"status\":[\"active\",\"updated\",\"deleted\"],\"limit\":1000}";
    return enc_pages_filter(&pages, ALL) && enc_pages_read(&pages, true);
}

/* ---- may this reader see all ---- */

static bool fetch_roles(struct enc_verify *verify, struct enc_roles *roles)
{
    struct enc_buffer members;
    struct enc_smt_proof proof;
    const struct enc_json *content = NULL;
    struct enc_question question = {.action = "/state", .enclave32 = verify->enclave32};
    struct enc_bytes key = enc_bytes_of(verify->ctl->key.pub32, 32);
    enc_buffer_init(&members, &verify->ctl->arena, 1024);
    enc_json_member_text(&members, "namespace", ENC_LIT("rbac"));
    enc_json_member_hex(&members, "key", key);
    *roles = (struct enc_roles){{0}};
    if (!verify->ctl->has_key)
        return true;
    if (enc_buffer_bytes(&members, &question.members) != ENC_ERR_OK ||
        !enc_ask(verify->ctl, &verify->ctl->arena, &content, &question) ||
        enc_smt_proof_take(&proof, content) != ENC_ERR_OK)
        return false;
    if (proof.value.len == 32)
        *roles = enc_roles_decode(proof.value.data);
    return true;
}

/* Self is what nobody is for everything, so a row of Self grants nothing here but may deny. */
static bool holds(const struct enc_schema_row *row, const struct enc_roles *roles, bool has_key)
{
    switch (row->holder) {
    case ENC_HOLDER_ROLE:
        return enc_roles_have(roles, row->bit);
    case ENC_HOLDER_ANY:
        return has_key;
    default:
        return row->holder == ENC_HOLDER_PUBLIC;
    }
}

static bool reads_all(const struct enc_manifest *manifest, const struct enc_roles *roles,
                      bool has_key)
{
    bool is_granted = false;
    for (uint32_t i = 0; i < manifest->row_count; i++) {
        const struct enc_schema_row *row = &manifest->rows[i];
        bool is_held = holds(row, roles, has_key);
        bool may_deny = is_held || (has_key && row->holder == ENC_HOLDER_SELF);
        if (may_deny && row->denies & 1 << ENC_OP_READ)
            return false;
        if (is_held && row->is_wildcard && row->ops & 1 << ENC_OP_READ)
            is_granted = true;
    }
    return is_granted;
}

bool enc_verify_sees_all(struct enc_verify *verify)
{
    struct enc_answer answer;
    struct enc_bytes content;
    struct enc_manifest manifest;
    struct enc_roles roles;
    struct enc_arena *arena = &verify->ctl->arena;
    return enc_fetch_public(verify->ctl, &answer, verify->enclave32, "/info/manifest") &&
           enc_json_text(enc_json_get(answer.json, "content"), &content) &&
           enc_manifest_parse(&manifest, arena, arena, content, NULL) == ENC_ERR_OK &&
           fetch_roles(verify, &roles) && reads_all(&manifest, &roles, verify->ctl->has_key);
}

/* ---- after the log: proofs ---- */

static bool check_end(struct enc_verify *verify)
{
    if (verify->replay.next_seq > verify->info_seq)
        return true;
    if (!enc_verify_sees_all(verify))
        return enc_verify_fail(verify, "hidden", verify->replay.next_seq,
                               "the last events are hidden from this reader (no R on every type), "
                               "so the log cannot be verified wholly");
    return enc_verify_fail(verify, "seq", verify->replay.next_seq,
                           "the node has more events than it hands out");
}

static bool ask_inclusion(struct enc_verify *verify, struct enc_inclusion *proof, uint64_t leaf)
{
    struct enc_buffer members;
    const struct enc_json *content = NULL;
    struct enc_question question = {.action = "/inclusion", .enclave32 = verify->enclave32};
    enc_buffer_init(&members, &verify->page, 1024);
    enc_json_member_u64(&members, "leaf_index", leaf);
    enc_json_member_u64(&members, "tree_size", verify->head.ts);
    return enc_buffer_bytes(&members, &question.members) == ENC_ERR_OK &&
           enc_ask(verify->ctl, &verify->page, &content, &question) &&
           enc_inclusion_take(proof, content) == ENC_ERR_OK;
}

static bool is_included(const struct enc_verify *verify, const struct enc_inclusion *proof,
                        const struct enc_replay_leaf *leaf)
{
    return proof->size == verify->head.ts && proof->index == leaf->index &&
           memcmp(proof->events_root32, leaf->events_root32, 32) == 0 &&
           memcmp(proof->state_hash32, leaf->state_hash32, 32) == 0 &&
           enc_inclusion_verify(proof, verify->head.r32);
}

static bool ask_bundle(struct enc_verify *verify, struct enc_bundle_proof *proof,
                       const uint8_t id32[32])
{
    struct enc_buffer members;
    const struct enc_json *content = NULL;
    struct enc_question question = {.action = "/bundle", .enclave32 = verify->enclave32};
    enc_buffer_init(&members, &verify->page, 1024);
    enc_json_member_hex(&members, "event_id", enc_bytes_of(id32, 32));
    return enc_buffer_bytes(&members, &question.members) == ENC_ERR_OK &&
           enc_ask(verify->ctl, &verify->page, &content, &question) &&
           enc_bundle_proof_take(proof, content) == ENC_ERR_OK;
}

static const struct enc_replay_event *event_at(const struct enc_verify *verify, uint64_t seq)
{
    const struct enc_replay_event *event = verify->replay.first;
    while (event->seq < seq)
        event = event->next;
    return event;
}

/* That the event of a place is where the replay put it. */
static bool is_bundled(const struct enc_bundle_proof *proof, const struct enc_replay_leaf *leaf,
                       const struct enc_replay_event *event)
{
    return memcmp(proof->event_id32, event->id32, 32) == 0 && proof->size == leaf->count &&
           proof->index == event->seq - leaf->first_seq &&
           enc_bundle_verify(proof, leaf->events_root32);
}

static uint64_t random_below(uint64_t bound)
{
    uint8_t bytes8[8];
    enc_process_random(bytes8, sizeof bytes8);
    return enc_be64_get(bytes8) % bound;
}

static bool check_leaf(struct enc_verify *verify, const struct enc_replay_leaf *leaf)
{
    struct enc_inclusion inclusion;
    struct enc_bundle_proof bundle;
    const struct enc_replay_event *event =
        event_at(verify, leaf->first_seq + random_below(leaf->count));
    if (!ask_inclusion(verify, &inclusion, leaf->index) || !is_included(verify, &inclusion, leaf))
        return enc_verify_fail(verify, "inclusion", leaf->first_seq,
                               "the node's inclusion proof of a bundle does not hold");
    if (verify->has_more_proofs &&
        (!ask_bundle(verify, &bundle, event->id32) || !is_bundled(&bundle, leaf, event)))
        return enc_verify_fail(verify, "bundle_proof", event->seq,
                               "the node's proof that an event is in its bundle does not hold");
    enc_arena_fini(&verify->page);
    return true;
}

static const struct enc_replay_leaf *leaf_at(const struct enc_verify *verify, uint64_t index)
{
    const struct enc_verify_leaf *kept = verify->leaves;
    while (kept->leaf.index > index)
        kept = kept->next;
    return &kept->leaf;
}

/* The first, the last, and some between. */
static bool check_sample(struct enc_verify *verify)
{
    uint64_t count = verify->head.ts;
    for (uint64_t i = 0; i < SAMPLE_COUNT && i < count; i++) {
        uint64_t index = i == 0 ? 0 : i == 1 ? count - 1 : random_below(count);
        if (!check_leaf(verify, leaf_at(verify, index)))
            return false;
    }
    return true;
}

static bool check_consistency(struct enc_verify *verify, const struct enc_sth *old)
{
    char action[64];
    struct enc_answer answer;
    struct enc_consistency proof;
    const struct enc_sth *head = &verify->head;
    snprintf(action, sizeof action, "/consistency?from=%" PRIu64 "&to=%" PRIu64, old->ts, head->ts);
    bool holds_good = enc_fetch_public(verify->ctl, &answer, verify->enclave32, action) &&
                      enc_consistency_take(&proof, answer.json) == ENC_ERR_OK &&
                      proof.from == old->ts && proof.to == head->ts &&
                      enc_consistency_verify(&proof, old->r32, head->r32);
    return holds_good || enc_verify_fail(verify, "consistency", old->ts,
                                         "the node's consistency proof from a remembered tree head "
                                         "does not hold");
}

/* The replay has met every head by its root; of the node's own proofs the newest is checked. */
static bool check_recalled(struct enc_verify *verify)
{
    const struct enc_sth *newest = NULL;
    for (size_t i = 0; i < verify->head_count; i++)
        if (verify->heads[i].ts < verify->head.ts)
            newest = &verify->heads[i];
    return !newest || !verify->has_more_proofs || check_consistency(verify, newest);
}

bool enc_verify_check_node(struct enc_verify *verify)
{
    return check_end(verify) && check_sample(verify) && check_recalled(verify);
}
