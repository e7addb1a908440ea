/* audit: the command. Rounds of visits, until somebody says that it is enough. */
#include "net/encctl/audit.h"

#include "net/encctl/out.h"
#include "net/process.h"
#include "proto/hashes.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { INTERVAL_S = 60, MAX_AGE_S = 120, MAX_AGE_MIN_S = 61, SPOT_MAX = 1000, S_MAX = 31536000 };

static volatile sig_atomic_t is_interrupted;

static void interrupt(int signal)
{
    (void)signal;
    is_interrupted = 1;
}

static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = interrupt};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

/* ---- a visit ---- */

static bool ask_info(struct enc_audit *audit, struct enc_target *target)
{
    struct enc_bytes service;
    const struct enc_json *info = NULL;
    if (enc_audit_get(audit, &info, target, "/info/enclave") != ENC_REPLY_GOOD)
        return false;
    bool is_good = enc_json_u64(enc_json_get(info, "seq"), &target->seq) &&
                   enc_json_text(enc_json_get(info, "service"), &service);
    target->has_all_proofs = is_good && enc_bytes_is(service, "enc-node");
    if (!is_good)
        snprintf(audit->why, sizeof audit->why, "/info/enclave is malformed");
    return is_good;
}

static bool ask_head(struct enc_audit *audit, struct enc_audit_head *head,
                     struct enc_target *target)
{
    const struct enc_json *json = NULL;
    if (enc_audit_get(audit, &json, target, "/sth") != ENC_REPLY_GOOD)
        return false;
    bool is_head = enc_sth_take(&head->sth, json) == ENC_ERR_OK &&
                   (head->sth.ts > 0 || enc_is_empty(head->sth.r32));
    if (!is_head)
        snprintf(audit->why, sizeof audit->why, "/sth is no tree head");
    return is_head;
}

static void tell_unsigned(struct enc_audit *audit, struct enc_target *target,
                          struct enc_audit_head *head)
{
    struct enc_watch *watch = target->watch;
    struct enc_finding finding = {.kind = "unsigned", .heads = {head, NULL}, .text = ""};
    memcpy(head->key32,
           audit->has_sequencer ? audit->sequencer32 : watch->keys32[watch->key_count - 1], 32);
    enc_audit_bind(audit, head, NULL);
    enc_audit_tell(audit, target, &finding);
}

static void check_age(struct enc_audit *audit, struct enc_target *target,
                      struct enc_audit_head *head)
{
    struct enc_finding finding = {.kind = "stale", .heads = {head, NULL}, .text = ""};
    if (enc_process_now_ms() <= head->sth.t_ms + audit->max_age_ms)
        return;
    if (!head->text)
        enc_audit_bind(audit, head, NULL);
    enc_audit_tell(audit, target, &finding);
}

static void look_at(struct enc_audit *audit, struct enc_target *target, struct enc_audit_head *head)
{
    bool is_known = false;
    if (!enc_audit_signer(audit, head, target, &is_known)) {
        if (is_known)
            tell_unsigned(audit, target, head);
        else
            enc_audit_unreached(audit, target, audit->why);
        return;
    }
    enc_audit_reconsider(audit, target);
    enc_audit_consider(audit, target, head);
    check_age(audit, target, head);
    if (!head->text)
        enc_audit_bind(audit, head, target);
    enc_audit_spot(audit, target, head);
    enc_audit_promises(audit, target, head);
}

static void visit(struct enc_audit *audit, size_t at)
{
    struct enc_target *target = &audit->targets[at];
    struct enc_audit_head head = {.target = at};
    enc_audit_turn_to(audit, target);
    if (ask_info(audit, target) && ask_head(audit, &head, target))
        look_at(audit, target, &head);
    else
        enc_audit_unreached(audit, target, audit->why);
    free(head.text);
}

/* ---- rounds ---- */

static void round_of(struct enc_audit *audit)
{
    audit->is_unreached = false;
    enc_audit_discover(audit);
    for (size_t i = 0; i < audit->target_count && !is_interrupted; i++)
        visit(audit, i);
    enc_arena_fini(&audit->ctl->arena);
    enc_out_flush();
}

static void run(struct enc_audit *audit)
{
    struct timespec pause = {.tv_sec = (time_t)audit->interval_s};
    catch_signals();
    enc_out_capture(audit->why, sizeof audit->why);
    round_of(audit);
    while (!audit->args->values[ENC_OPTION_ONCE] && !is_interrupted && !audit->has_trouble) {
        nanosleep(&pause, NULL);
        if (!is_interrupted)
            round_of(audit);
    }
    enc_out_capture(NULL, 0);
}

static enum enc_exit exit_of(const struct enc_audit *audit)
{
    if (audit->has_proof)
        return ENC_EXIT_PROVEN;
    if (audit->has_trouble)
        return ENC_EXIT_REFUSED;
    if (audit->has_claim)
        return ENC_EXIT_CLAIMED;
    return audit->is_unreached ? ENC_EXIT_UNREACHED : ENC_EXIT_OK;
}

/* ---- the command line ---- */

static bool take_number(uint64_t *out, const struct enc_args *args, enum enc_option option,
                        uint64_t max)
{
    char *end = NULL;
    const char *text = args->values[option];
    if (!text)
        return true;
    *out = strtoull(text, &end, 10);
    bool is_number = text[0] >= '0' && text[0] <= '9' && *end == '\0' && *out <= max;
    if (!is_number)
        enc_out_fault("not a number up to %llu: %s", (unsigned long long)max, text);
    return is_number;
}

static bool take_numbers(struct enc_audit *audit, const struct enc_args *args)
{
    uint64_t max_age_s = MAX_AGE_S;
    audit->interval_s = INTERVAL_S;
    audit->spot_count = 1;
    bool is_good = take_number(&max_age_s, args, ENC_OPTION_MAX_AGE, S_MAX) &&
                   take_number(&audit->interval_s, args, ENC_OPTION_INTERVAL, S_MAX) &&
                   take_number(&audit->spot_count, args, ENC_OPTION_SPOT, SPOT_MAX);
    max_age_s = max_age_s < MAX_AGE_MIN_S ? MAX_AGE_MIN_S : max_age_s;
    audit->interval_s = audit->interval_s ? audit->interval_s : 1;
    audit->max_age_ms = max_age_s * 1000;
    return is_good;
}

static bool take_words(struct enc_audit *audit, const struct enc_args *args)
{
    const char *sequencer = args->values[ENC_OPTION_SEQUENCER];
    const char *receipts = args->values[ENC_OPTION_RECEIPT];
    audit->state = args->values[ENC_OPTION_STATE];
    audit->has_sequencer = sequencer != NULL;
    if (!take_numbers(audit, args) ||
        (sequencer && !enc_ctl_hex32(audit->sequencer32, sequencer, "--sequencer")) ||
        (receipts && !enc_audit_read_promises(audit, receipts)))
        return false;
    for (size_t i = 0; i < args->word_count; i++)
        if (!enc_audit_find(audit, args->words[i]))
            return false;
    return true;
}

static bool open_log(struct enc_audit *audit)
{
    const char *path = audit->args->values[ENC_OPTION_LOG];
    audit->log = path ? fopen(path, "ae") : NULL;
    if (path && !audit->log)
        enc_out_fault("%s: %s", path, strerror(errno));
    return !path || audit->log;
}

static void drop_watches(struct enc_audit *audit)
{
    while (audit->watches) {
        struct enc_watch *watch = audit->watches;
        audit->watches = watch->next;
        for (size_t i = 0; i < watch->slot_count; i++) {
            free(watch->slots[i].first.text);
            free(watch->slots[i].last.text);
        }
        for (size_t i = 0; i < watch->open_count; i++)
            free(watch->open[i].text);
        free(watch->slots);
        free(watch->manifest);
        free(watch->migrates);
        free(watch);
    }
}

static void fini(struct enc_audit *audit)
{
    drop_watches(audit);
    for (size_t i = 0; i < audit->target_count; i++)
        free(audit->targets[i].url);
    free(audit->targets);
    while (audit->promises) {
        struct enc_promise *promise = audit->promises;
        audit->promises = promise->next;
        free(promise->event);
        free(promise);
    }
    if (audit->record >= 0)
        close(audit->record);
    if (audit->log && fclose(audit->log) != 0)
        audit->has_trouble = true;
}

enum enc_exit enc_command_audit(struct enc_ctl *ctl, const struct enc_args *args)
{
    struct enc_audit audit = {.ctl = ctl, .args = args, .record = -1, .is_json = ctl->is_json};
    enum enc_exit status = ENC_EXIT_USAGE;
    ctl->is_json = false; /* what nodes answer is not what we tell */
    bool is_asked = take_words(&audit, args);
    if (is_asked)
        status = ENC_EXIT_REFUSED;
    bool is_open = is_asked && enc_audit_state_open(&audit) && open_log(&audit);
    if (is_open)
        run(&audit);
    fini(&audit);
    return is_open ? exit_of(&audit) : status;
}
