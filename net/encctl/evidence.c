#include "net/encctl/evidence.h"

#include "net/encctl/out.h"
#include "net/encctl/registry.h"
#include "proto/hashes.h"
#include "proto/manifest.h"

struct head {
    struct enc_sth sth;
    uint8_t key32[32];
    bool is_signed;
    bool is_bound;
};

struct scale {
    struct enc_ctl *ctl;
    const struct enc_json *file;
    struct enc_evidence *out;
    struct enc_event manifest;
    bool has_manifest;
    uint8_t keys32[ENC_EVIDENCE_KEYS_MAX][32]; /* in charge, one after the other */
    size_t key_count;
    struct head heads[2]; /* as the kind wants them */
    struct enc_event events[2];
};

static enum enc_worth nothing(struct scale *scale, const char *text)
{
    scale->out->text = text;
    return ENC_WORTH_NONE;
}

static enum enc_worth weighs(struct scale *scale, bool is_proof, const char *text)
{
    scale->out->text = text;
    return is_proof ? ENC_WORTH_PROOF : ENC_WORTH_CLAIM;
}

/* ---- what every kind is made of ---- */

bool enc_binding_holds(const struct enc_binding *binding, const uint8_t manifest_id32[32],
                       const struct enc_sth *head)
{
    const struct enc_inclusion *inclusion = &binding->inclusion;
    return inclusion->index == 0 && inclusion->size == head->ts &&
           enc_inclusion_verify(inclusion, head->r32) && binding->bundle.index == 0 &&
           memcmp(binding->bundle.event_id32, manifest_id32, 32) == 0 &&
           enc_bundle_verify(&binding->bundle, inclusion->events_root32);
}

/* An event whose every word can be checked: its commit names its enclave. */
static bool take_event(struct enc_ctl *ctl, struct enc_event *out, const struct enc_json *json,
                       const uint8_t enclave32[32])
{
    return enc_event_take(out, &ctl->arena, json) == ENC_ERR_OK && !out->is_erased &&
           enc_event_check(out, ctl->curve, NULL) == ENC_EVENT_SOUND &&
           memcmp(out->commit.enclave32, enclave32, 32) == 0;
}

bool enc_migrate_take(uint8_t next32[32], struct enc_ctl *ctl, const struct enc_json *event,
                      const uint8_t enclave32[32], const uint8_t before32[32])
{
    struct enc_event migrate;
    struct enc_json *content = NULL;
    struct enc_json_facts facts;
    return take_event(ctl, &migrate, event, enclave32) &&
           memcmp(migrate.sequencer32, before32, 32) == 0 &&
           enc_bytes_is(migrate.commit.type, "Migrate") &&
           enc_json_parse(&content, &ctl->arena, migrate.commit.content, &facts) == ENC_ERR_OK &&
           enc_json_hex(enc_json_get(content, "new_sequencer"), next32, 32);
}

static bool take_keys(struct scale *scale)
{
    const struct enc_json *migrates = enc_json_get(scale->file, "migrates");
    memcpy(scale->keys32[0], scale->manifest.sequencer32, 32);
    scale->key_count = 1;
    for (const struct enc_json *m = migrates ? migrates->child : NULL; m; m = m->next) {
        size_t at = scale->key_count;
        if (at == ENC_EVIDENCE_KEYS_MAX ||
            !enc_migrate_take(scale->keys32[at], scale->ctl, m, scale->out->enclave32,
                              scale->keys32[at - 1]))
            return false;
        scale->key_count++;
    }
    return true;
}

static bool take_manifest(struct scale *scale)
{
    const struct enc_json *json = enc_json_get(scale->file, "manifest");
    scale->has_manifest = json != NULL;
    return !json || (!enc_registry_check_manifest(scale->ctl, &scale->manifest, json,
                                                  scale->out->enclave32) &&
                     take_keys(scale));
}

static bool is_in_charge(const struct scale *scale, const uint8_t key32[32])
{
    for (size_t i = 0; i < scale->key_count; i++)
        if (memcmp(scale->keys32[i], key32, 32) == 0)
            return true;
    return false;
}

static bool take_binding(struct scale *scale, struct head *head, const struct enc_json *json)
{
    struct enc_binding binding;
    head->is_bound = false;
    if (!json)
        return true;
    head->is_bound =
        scale->has_manifest && is_in_charge(scale, head->key32) &&
        enc_inclusion_take(&binding.inclusion, enc_json_get(json, "inclusion")) == ENC_ERR_OK &&
        enc_bundle_proof_take(&binding.bundle, enc_json_get(json, "bundle")) == ENC_ERR_OK &&
        enc_binding_holds(&binding, scale->manifest.id32, &head->sth);
    return head->is_bound;
}

static bool take_heads(struct scale *scale, size_t count)
{
    const struct enc_json *list = enc_json_get(scale->file, "heads");
    if (!list || list->kind != ENC_JSON_ARRAY || list->count != count)
        return false;
    const struct enc_json *json = list->child;
    for (size_t i = 0; i < count; i++, json = json->next) {
        struct head *head = &scale->heads[i];
        if (enc_sth_take(&head->sth, json) != ENC_ERR_OK ||
            !enc_json_hex(enc_json_get(json, "sequencer"), head->key32, 32) ||
            !take_binding(scale, head, enc_json_get(json, "binding")))
            return false;
        head->is_signed = enc_sth_verify(scale->ctl->curve, &head->sth, head->key32);
        memcpy(scale->out->accused32, head->key32, 32);
    }
    return true;
}

static bool take_signed(struct scale *scale, size_t count)
{
    bool are_signed = take_heads(scale, count);
    for (size_t i = 0; are_signed && i < count; i++)
        are_signed = scale->heads[i].is_signed;
    return are_signed;
}

static bool take_events(struct scale *scale)
{
    const struct enc_json *list = enc_json_get(scale->file, "events");
    if (!list || list->kind != ENC_JSON_ARRAY || list->count != 2)
        return false;
    return take_event(scale->ctl, &scale->events[0], list->child, scale->out->enclave32) &&
           take_event(scale->ctl, &scale->events[1], list->child->next, scale->out->enclave32);
}

static bool are_bound(const struct scale *scale)
{
    return scale->heads[0].is_bound && scale->heads[1].is_bound;
}

/* The log of heads[1] as it was when it had as many leaves as heads[0]. */
static bool take_prefix(struct scale *scale, uint8_t prefix32[32])
{
    struct enc_consistency consistency;
    struct enc_inclusion inclusion;
    const struct enc_sth *a = &scale->heads[0].sth;
    const struct enc_sth *b = &scale->heads[1].sth;
    const struct enc_json *path = enc_json_get(scale->file, "consistency");
    if (path)
        return enc_consistency_take(&consistency, path) == ENC_ERR_OK &&
               consistency.from == a->ts && consistency.to == b->ts &&
               enc_consistency_prefix(prefix32, &consistency, b->r32);
    return enc_inclusion_take(&inclusion, enc_json_get(scale->file, "inclusion")) == ENC_ERR_OK &&
           inclusion.size == b->ts && inclusion.index + 1 == a->ts &&
           enc_inclusion_prefix(prefix32, &inclusion, b->r32);
}

/* ---- kinds ---- */

static enum enc_worth weigh_fork(struct scale *scale)
{
    uint8_t prefix32[32];
    if (!take_signed(scale, 2))
        return nothing(scale, "its tree heads are not what they should be");
    const struct enc_sth *a = &scale->heads[0].sth;
    const struct enc_sth *b = &scale->heads[1].sth;
    if (a->ts > b->ts || (a->ts < b->ts && !take_prefix(scale, prefix32)))
        return nothing(scale, "nothing shows what the first head would be in the second's log");
    if (memcmp(a->ts == b->ts ? b->r32 : prefix32, a->r32, 32) == 0)
        return nothing(scale, "both heads are of one log");
    return weighs(scale, are_bound(scale),
                  are_bound(scale)
                      ? "two logs of one enclave were signed"
                      : "two logs were signed; that they are of one enclave is not shown");
}

static enum enc_worth weigh_rewind(struct scale *scale)
{
    if (!take_signed(scale, 2))
        return nothing(scale, "its tree heads are not what they should be");
    const struct head *a = &scale->heads[0];
    const struct head *b = &scale->heads[1];
    if (memcmp(a->key32, b->key32, 32) != 0 || a->sth.ts <= b->sth.ts || a->sth.t_ms >= b->sth.t_ms)
        return nothing(scale, "the later head is not the smaller one");
    bool is_late = b->sth.t_ms - a->sth.t_ms > ENC_EVIDENCE_SLACK_MS;
    return weighs(scale, are_bound(scale) && is_late,
                  are_bound(scale) ? is_late ? "a log that had grown was signed as a smaller one"
                                             : "a smaller log was signed within a minute"
                                   : "a smaller log was signed; whether of this enclave is not "
                                     "shown");
}

static enum enc_worth weigh_two_events(struct scale *scale)
{
    const struct enc_event *a = &scale->events[0];
    const struct enc_event *b = &scale->events[1];
    if (!take_events(scale))
        return nothing(scale, "its events are not sound");
    if (a->seq != b->seq || memcmp(a->id32, b->id32, 32) == 0 ||
        memcmp(a->sequencer32, b->sequencer32, 32) != 0)
        return nothing(scale, "its events do not contradict each other");
    memcpy(scale->out->accused32, a->sequencer32, 32);
    return weighs(scale, true, "two events were signed for one place of the log");
}

/* That events[1] is the last of the log that the head was signed over. */
static bool is_last(struct scale *scale, const struct head *head)
{
    struct enc_inclusion inclusion;
    struct enc_bundle_proof bundle;
    return enc_inclusion_take(&inclusion, enc_json_get(scale->file, "inclusion")) == ENC_ERR_OK &&
           enc_bundle_proof_take(&bundle, enc_json_get(scale->file, "bundle")) == ENC_ERR_OK &&
           inclusion.size == head->sth.ts && inclusion.index + 1 == inclusion.size &&
           enc_inclusion_verify(&inclusion, head->sth.r32) && bundle.index + 1 == bundle.size &&
           memcmp(bundle.event_id32, scale->events[1].id32, 32) == 0 &&
           enc_bundle_verify(&bundle, inclusion.events_root32);
}

static bool bundle_timeout(struct scale *scale, uint64_t *timeout_ms)
{
    struct enc_manifest rules;
    struct enc_arena *arena = &scale->ctl->arena;
    if (!scale->has_manifest ||
        enc_manifest_parse(&rules, arena, arena, scale->manifest.commit.content, NULL) !=
            ENC_ERR_OK)
        return false;
    *timeout_ms = rules.bundle_timeout_ms;
    return rules.bundle_timeout_ms > 0;
}

static enum enc_worth weigh_dropped(struct scale *scale)
{
    uint64_t timeout_ms = 0;
    const struct head *head = &scale->heads[0];
    const struct enc_event *promised = &scale->events[0];
    if (!take_signed(scale, 1) || !take_events(scale) || !bundle_timeout(scale, &timeout_ms))
        return nothing(scale, "its head, events or Manifest are not what they should be");
    if (promised->seq <= scale->events[1].seq ||
        memcmp(promised->sequencer32, head->key32, 32) != 0 || !head->is_bound ||
        !is_last(scale, head))
        return nothing(scale, "nothing shows that the log ends before the promised event");
    if (head->sth.t_ms <= promised->timestamp_ms + timeout_ms + ENC_EVIDENCE_SLACK_MS)
        return nothing(scale, "the head is not late enough to have to hold the event");
    return weighs(scale, true, "a promised event is not in the log that was signed later");
}

/* ---- claims: the file shows what was said, and nobody can show what was not ---- */

static enum enc_worth weigh_refused(struct scale *scale)
{
    if (!take_signed(scale, 2) || scale->heads[0].sth.ts >= scale->heads[1].sth.ts)
        return nothing(scale, "its tree heads are not what they should be");
    return weighs(scale, false,
                  "no proof that the later head follows from the earlier was to be had; ask the "
                  "node for it");
}

static enum enc_worth weigh_stale(struct scale *scale)
{
    uint64_t seen_ms = 0;
    if (!take_signed(scale, 1) || !enc_json_u64(enc_json_get(scale->file, "seen"), &seen_ms) ||
        seen_ms <= scale->heads[0].sth.t_ms + ENC_EVIDENCE_SLACK_MS)
        return nothing(scale, "its tree head was not old when it was seen");
    return weighs(scale, false, "an old tree head was served");
}

static enum enc_worth weigh_unsigned(struct scale *scale)
{
    if (!take_heads(scale, 1) || scale->heads[0].is_signed)
        return nothing(scale, "its tree head is signed by the sequencer");
    return weighs(scale, false, "a tree head was served that the sequencer has not signed");
}

static enum enc_worth weigh_answer(struct scale *scale)
{
    if (!take_signed(scale, 1) || !enc_json_get(scale->file, "question"))
        return nothing(scale, "its tree head is not what it should be");
    return weighs(scale, false, "what was asked for under this head was not to be had");
}

static const struct {
    const char *kind;
    enum enc_worth (*weigh)(struct scale *scale);
} KINDS[] = {
    {"fork", weigh_fork},         {"rewind", weigh_rewind},   {"two-events", weigh_two_events},
    {"dropped", weigh_dropped},   {"refused", weigh_refused}, {"stale", weigh_stale},
    {"unsigned", weigh_unsigned}, {"missing", weigh_answer},  {"bad-proof", weigh_answer},
};

void enc_evidence_weigh(struct enc_evidence *out, struct enc_ctl *ctl, const struct enc_json *file)
{
    uint64_t version = 0;
    struct scale scale = {.ctl = ctl, .file = file, .out = out};
    *out = (struct enc_evidence){.text = "it is no evidence of a kind known here"};
    if (!enc_json_u64(enc_json_get(file, "enc_evidence"), &version) || version != 1 ||
        !enc_json_hex(enc_json_get(file, "enclave"), out->enclave32, 32) ||
        !enc_json_text(enc_json_get(file, "kind"), &out->kind))
        return;
    if (!take_manifest(&scale)) {
        out->text = "its Manifest does not make this enclave, or a Migrate does not follow";
        return;
    }
    for (size_t i = 0; i < sizeof KINDS / sizeof KINDS[0]; i++)
        if (enc_bytes_is(out->kind, KINDS[i].kind))
            out->worth = KINDS[i].weigh(&scale);
}

/* ---- the command ---- */

static const char *const WORTHS[] = {"none", "claim", "proof"};

static void tell(struct enc_ctl *ctl, const struct enc_evidence *evidence)
{
    struct enc_buffer out;
    if (!ctl->is_json) {
        enc_out_text("worth", enc_bytes_of_text(WORTHS[evidence->worth]));
        enc_out_said("kind", evidence->kind);
        enc_out_text("text", enc_bytes_of_text(evidence->text));
        enc_out_hex("enclave", evidence->enclave32, 32);
        if (evidence->worth != ENC_WORTH_NONE)
            enc_out_hex("signed by", evidence->accused32, 32);
        return;
    }
    enc_buffer_init(&out, &ctl->arena, 1 << 16);
    enc_json_put_raw(&out, "{");
    enc_json_member_text(&out, "worth", enc_bytes_of_text(WORTHS[evidence->worth]));
    enc_json_member_text(&out, "kind", evidence->kind);
    enc_json_member_text(&out, "text", enc_bytes_of_text(evidence->text));
    enc_json_member_hex(&out, "enclave", enc_bytes_of(evidence->enclave32, 32));
    enc_json_member_hex(&out, "accused", enc_bytes_of(evidence->accused32, 32));
    enc_json_put_raw(&out, "}");
    enc_out_buffer(&out);
}

static enum enc_worth judge(struct enc_ctl *ctl, const char *path)
{
    struct enc_bytes text;
    struct enc_json *file = NULL;
    struct enc_json_facts facts;
    struct enc_evidence evidence;
    if (!enc_ctl_read_file(ctl, &text, path))
        return ENC_WORTH_NONE;
    if (enc_json_parse(&file, &ctl->arena, text, &facts) != ENC_ERR_OK) {
        enc_out_fault("%s: no JSON", path);
        return ENC_WORTH_NONE;
    }
    enc_evidence_weigh(&evidence, ctl, file);
    tell(ctl, &evidence);
    return evidence.worth;
}

/* Of several files the one that is worth least decides. */
enum enc_exit enc_command_evidence(struct enc_ctl *ctl, const struct enc_args *args)
{
    static const enum enc_exit EXITS[] = {ENC_EXIT_REFUSED, ENC_EXIT_CLAIMED, ENC_EXIT_OK};
    enum enc_worth least = ENC_WORTH_PROOF;
    for (size_t i = 0; i < args->word_count; i++) {
        enum enc_worth worth = judge(ctl, args->words[i]);
        least = worth < least ? worth : least;
        enc_arena_fini(&ctl->arena);
    }
    return EXITS[least];
}
