/* audit: who may sign for an enclave, and how a tree head is bound to it. */
#include "net/encctl/audit.h"

#include "net/encctl/registry.h"
#include "proto/manifest.h"

#include <stdlib.h>

static bool is_of(const struct enc_audit *audit, struct enc_audit_head *head,
                  const struct enc_watch *watch)
{
    for (size_t i = watch->key_count; i-- > 0;)
        if (enc_sth_verify(audit->ctl->curve, &head->sth, watch->keys32[i])) {
            memcpy(head->key32, watch->keys32[i], 32);
            return true;
        }
    return false;
}

/* ---- the Manifest: pinned at first sight ---- */

void enc_audit_take_manifest(struct enc_watch *watch, struct enc_ctl *ctl,
                             const struct enc_event *event)
{
    struct enc_buffer text;
    struct enc_manifest rules;
    if (enc_manifest_parse(&rules, &ctl->arena, &ctl->arena, event->commit.content, NULL) !=
        ENC_ERR_OK)
        return;
    enc_buffer_init(&text, &ctl->arena, SIZE_MAX / 4);
    enc_event_put_json(&text, event, false);
    watch->manifest = enc_audit_keep_buffer(&text);
    watch->timeout_ms = rules.bundle_timeout_ms;
    memcpy(watch->manifest_id32, event->id32, 32);
    memcpy(watch->keys32[0], event->sequencer32, 32);
    watch->key_count = 1;
}

static void record_manifest(struct enc_audit *audit, const struct enc_watch *watch)
{
    struct enc_buffer line;
    enc_buffer_init(&line, &audit->ctl->arena, SIZE_MAX / 4);
    enc_json_put_raw(&line, ",\"manifest\":");
    enc_json_put_raw(&line, watch->manifest);
    enc_audit_record(audit, watch, &line);
}

static bool learn_manifest(struct enc_audit *audit, struct enc_target *target)
{
    struct enc_event event;
    const struct enc_json *json = NULL;
    struct enc_watch *watch = target->watch;
    if (watch->manifest)
        return true;
    if (enc_audit_get(audit, &json, target, "/info/manifest") != ENC_REPLY_GOOD)
        return false;
    const char *wrong = enc_registry_check_manifest(audit->ctl, &event, json, watch->enclave32);
    if (wrong) {
        snprintf(audit->why, sizeof audit->why, "its Manifest %s", wrong);
        return false;
    }
    enc_audit_take_manifest(watch, audit->ctl, &event);
    if (watch->manifest)
        record_manifest(audit, watch);
    return watch->manifest != NULL;
}

/* ---- Migrates: from one sequencer to the next ---- */

/* On one line, whatever the node's own text is. */
static struct enc_bytes event_text(struct enc_ctl *ctl, const struct enc_json *json)
{
    struct enc_event event;
    struct enc_buffer text;
    struct enc_bytes bytes = ENC_LIT("");
    enc_buffer_init(&text, &ctl->arena, SIZE_MAX / 4);
    if (enc_event_take(&event, &ctl->arena, json) == ENC_ERR_OK)
        enc_event_put_json(&text, &event, false);
    return enc_buffer_bytes(&text, &bytes) == ENC_ERR_OK ? bytes : ENC_LIT("");
}

bool enc_audit_take_migrate(struct enc_watch *watch, struct enc_ctl *ctl,
                            const struct enc_json *event)
{
    struct enc_buffer text;
    size_t at = watch->key_count;
    if (at == 0 || at == ENC_EVIDENCE_KEYS_MAX ||
        !enc_migrate_take(watch->keys32[at], ctl, event, watch->enclave32, watch->keys32[at - 1]))
        return false;
    watch->key_count++;
    enc_buffer_init(&text, &ctl->arena, SIZE_MAX / 4);
    if (watch->migrates) {
        enc_json_put_raw(&text, watch->migrates);
        enc_json_put_raw(&text, ",");
    }
    enc_buffer_add(&text, event_text(ctl, event));
    free(watch->migrates);
    watch->migrates = enc_audit_keep_buffer(&text);
    return true;
}

static void record_migrate(struct enc_audit *audit, const struct enc_watch *watch,
                           const struct enc_json *event)
{
    struct enc_buffer line;
    enc_buffer_init(&line, &audit->ctl->arena, SIZE_MAX / 4);
    enc_json_put_raw(&line, ",\"migrate\":");
    enc_buffer_add(&line, event_text(audit->ctl, event));
    enc_audit_record(audit, watch, &line);
}

static enum enc_reply learn_migrates(struct enc_audit *audit, struct enc_target *target)
{
    const struct enc_json *list = NULL;
    enum enc_reply reply =
        enc_audit_query(audit, &list, target, "{\"type\":\"Migrate\",\"limit\":8}");
    for (const struct enc_json *e = list ? list->child : NULL; e; e = e->next) {
        const struct enc_json *event = enc_json_get(e, "event");
        if (event && enc_audit_take_migrate(target->watch, audit->ctl, event))
            record_migrate(audit, target->watch, event);
    }
    return reply;
}

/* ---- the signer ---- */

static bool is_wanted(const struct enc_audit *audit, const struct enc_watch *watch)
{
    bool is_there = !audit->has_sequencer;
    for (size_t i = 0; i < watch->key_count; i++)
        is_there = is_there || memcmp(watch->keys32[i], audit->sequencer32, 32) == 0;
    return is_there;
}

bool enc_audit_signer(struct enc_audit *audit, struct enc_audit_head *head,
                      struct enc_target *target, bool *is_known)
{
    struct enc_watch *watch = target->watch;
    *is_known = learn_manifest(audit, target);
    if (!*is_known)
        return false;
    bool is_signed = is_of(audit, head, watch);
    if (!is_signed || !is_wanted(audit, watch)) {
        *is_known = learn_migrates(audit, target) != ENC_REPLY_NONE;
        is_signed = is_of(audit, head, watch) && is_wanted(audit, watch);
    }
    return is_signed;
}

/* ---- the binding ---- */

static bool find_binding(struct enc_audit *audit, struct enc_binding *binding,
                         const struct enc_target *target, const struct enc_sth *sth)
{
    struct enc_inclusion *inclusion = &binding->inclusion;
    return sth->ts > 0 && enc_audit_leaf(audit, inclusion, target, 0, sth->ts) == ENC_REPLY_GOOD &&
           enc_audit_first_bundle(audit, &binding->bundle, target, inclusion->events_root32) ==
               ENC_REPLY_GOOD &&
           enc_binding_holds(binding, target->watch->manifest_id32, sth);
}

void enc_audit_bind(struct enc_audit *audit, struct enc_audit_head *head,
                    const struct enc_target *target)
{
    struct enc_buffer text;
    struct enc_binding binding;
    enc_buffer_init(&text, &audit->ctl->arena, 1 << 16);
    enc_json_put_raw(&text, "{");
    enc_json_member_hex(&text, "sequencer", enc_bytes_of(head->key32, 32));
    enc_sth_put(&text, &head->sth);
    if (target && find_binding(audit, &binding, target, &head->sth)) {
        enc_json_member(&text, "binding");
        enc_json_put_raw(&text, "{\"inclusion\":{");
        enc_inclusion_put(&text, &binding.inclusion);
        enc_json_put_raw(&text, "},\"bundle\":{");
        enc_bundle_proof_put(&text, &binding.bundle);
        enc_json_put_raw(&text, "}}");
    }
    enc_json_put_raw(&text, "}");
    free(head->text);
    head->text = enc_audit_keep_buffer(&text);
}
