/* verify: replay a log, from a node or from a file, and say what is wrong first. */
#include "net/encctl/export.h"

#include "net/encctl/out.h"

#include <stdio.h>

enum { MEMORY_GIB = 16 };

/* ---- results ---- */

static void put_fault(struct enc_buffer *out, const char *name, uint64_t seq, struct enc_bytes text)
{
    enc_json_put_raw(out, "{\"ok\":false");
    enc_json_member_text(out, "fault", enc_bytes_of_text(name));
    enc_json_member_u64(out, "seq", seq);
    enc_json_member_text(out, "text", text);
    enc_json_put_raw(out, "}");
}

static bool tell_fault(struct enc_verify *verify, const char *name, uint64_t seq,
                       struct enc_bytes text)
{
    struct enc_buffer out;
    if (verify->has_failed)
        return false;
    verify->has_failed = true;
    enc_buffer_init(&out, &verify->ctl->arena, 1 << 16);
    put_fault(&out, name, seq, text);
    if (verify->out) /* standard output is the file */
        enc_out_fault("not verified, the file is not whole: %.*s", (int)text.len,
                      (const char *)text.data);
    else if (verify->ctl->is_json)
        enc_out_buffer(&out);
    else
        printf("NOT VERIFIED   %.*s\n", (int)text.len, (const char *)text.data);
    return false;
}

bool enc_verify_fail(struct enc_verify *verify, const char *name, uint64_t seq, const char *text)
{
    return tell_fault(verify, name, seq, enc_bytes_of_text(text));
}

/* A gap, or an early end, is no lie when it holds what this reader may not read. */
static bool is_hidden(struct enc_verify *verify)
{
    enum enc_replay_fault fault = verify->replay.verdict.fault;
    bool is_short =
        fault == ENC_REPLAY_FAULT_HEAD_SIZE && verify->replay.next_seq <= verify->info_seq;
    bool is_gap = is_short || fault == ENC_REPLAY_FAULT_SEQ || fault == ENC_REPLAY_FAULT_MANIFEST;
    return is_gap && verify->is_online && !enc_verify_sees_all(verify);
}

static bool tell_replay(struct enc_verify *verify)
{
    struct enc_buffer out;
    struct enc_bytes text;
    const struct enc_replay_verdict *verdict = &verify->replay.verdict;
    if (is_hidden(verify))
        return enc_verify_fail(verify, "hidden", verify->replay.next_seq,
                               "events are hidden from this reader (no R on every type), so the "
                               "log cannot be verified wholly; --key of one who reads all helps");
    enc_buffer_init(&out, &verify->ctl->arena, 4096);
    enc_replay_describe(&out, verdict);
    if (enc_buffer_bytes(&out, &text) != ENC_ERR_OK)
        text = ENC_LIT("out of memory");
    return tell_fault(verify, enc_replay_fault_name(verdict->fault), verdict->seq, text);
}

struct summary {
    uint8_t state_hash32[32];
    uint8_t root32[32];
    const char *status;
};

static void tell_people(const struct enc_replay *replay, const struct summary *summary)
{
    enc_out_text("verified", ENC_LIT("hashes, signatures, rules, roots: all as they must be"));
    enc_out_hex("enclave", replay->enclave32, 32);
    enc_out_hex("sequencer", replay->sequencer32, 32);
    enc_out_text("status", enc_bytes_of_text(summary->status));
    enc_out_u64("events", replay->next_seq);
    enc_out_u64("bundles", replay->ct.count);
    enc_out_u64("open bundle", replay->bundle.count);
    enc_out_hex("state hash", summary->state_hash32, 32);
    enc_out_hex("root", summary->root32, 32);
    enc_out_u64("heads met", replay->head_at);
}

static void tell_json(struct enc_ctl *ctl, const struct enc_replay *replay,
                      const struct summary *summary)
{
    struct enc_buffer out;
    enc_buffer_init(&out, &ctl->arena, 4096);
    enc_json_put_raw(&out, "{\"ok\":true");
    enc_json_member_hex(&out, "enclave", enc_bytes_of(replay->enclave32, 32));
    enc_json_member_hex(&out, "sequencer", enc_bytes_of(replay->sequencer32, 32));
    enc_json_member_text(&out, "status", enc_bytes_of_text(summary->status));
    enc_json_member_u64(&out, "events", replay->next_seq);
    enc_json_member_u64(&out, "bundles", replay->ct.count);
    enc_json_member_u64(&out, "open", replay->bundle.count);
    enc_json_member_hex(&out, "state_hash", enc_bytes_of(summary->state_hash32, 32));
    enc_json_member_hex(&out, "root", enc_bytes_of(summary->root32, 32));
    enc_json_member_u64(&out, "heads", replay->head_at);
    enc_json_put_raw(&out, "}");
    enc_out_buffer(&out);
}

static void tell_sound(struct enc_verify *verify)
{
    struct enc_replay *replay = &verify->replay;
    struct summary summary = {.status = enc_status_name(replay->status)};
    enc_replay_state_hash(replay, summary.state_hash32);
    enc_frontier_root(&replay->ct, summary.root32);
    if (verify->ctl->is_json)
        tell_json(verify->ctl, replay, &summary);
    else
        tell_people(replay, &summary);
}

/* ---- the log ---- */

static bool keep_leaf(void *opaque, const struct enc_replay *replay,
                      const struct enc_replay_leaf *leaf)
{
    (void)replay;
    struct enc_verify *verify = (struct enc_verify *)opaque;
    struct enc_verify_leaf *kept = ENC_ARENA_NEW(&verify->ctl->arena, struct enc_verify_leaf, 1);
    ENC_CHECK(kept != NULL);
    *kept = (struct enc_verify_leaf){.next = verify->leaves, .leaf = *leaf};
    verify->leaves = kept;
    return true;
}

static bool read_status(enum enc_event_status *status, uint8_t by32[32],
                        const struct enc_json *element)
{
    static const struct {
        const char *status;
        const char *by;
    } ROWS[ENC_EVENT_STATUS_COUNT] = {
        [ENC_EVENT_ACTIVE] = {"active", NULL},
        [ENC_EVENT_UPDATED] = {"updated", "updated_by"},
        [ENC_EVENT_DELETED] = {"deleted", "deleted_by"},
    };
    struct enc_bytes text;
    if (!enc_json_text(enc_json_get(element, "status"), &text))
        return false;
    for (int i = 0; i < ENC_EVENT_STATUS_COUNT; i++) {
        *status = (enum enc_event_status)i;
        if (enc_bytes_is(text, ROWS[i].status))
            return !ROWS[i].by || enc_json_hex(enc_json_get(element, ROWS[i].by), by32, 32);
    }
    return false;
}

static bool keep_claim(struct enc_verify *verify, const struct enc_event *event,
                       const struct enc_json *element)
{
    struct enc_verify_claim *claim = ENC_ARENA_NEW(&verify->ctl->arena, struct enc_verify_claim, 1);
    ENC_CHECK(claim != NULL);
    claim->next = verify->claims;
    memcpy(claim->id32, event->id32, 32);
    verify->claims = claim;
    return read_status(&claim->status, claim->by32, element);
}

static bool check_state(struct enc_verify *verify, uint64_t seq)
{
    uint8_t hash32[32];
    if (!verify->is_online || seq != verify->info_seq)
        return true;
    enc_replay_state_hash(&verify->replay, hash32);
    if (memcmp(hash32, verify->info_state32, 32) == 0)
        return true;
    return enc_verify_fail(verify, "state_hash", seq,
                           "the node's state_hash is not the one that its log leads to");
}

bool enc_verify_element(struct enc_verify *verify, const struct enc_json *element)
{
    struct enc_event event;
    const struct enc_json *inner = enc_json_get(element, "event");
    uint64_t seq = verify->replay.next_seq;
    if (enc_event_take(&event, &verify->page, inner ? inner : element) != ENC_ERR_OK)
        return enc_verify_fail(verify, "malformed", seq, "what comes next is no event");
    if (!enc_replay_feed(&verify->replay, &event))
        return tell_replay(verify);
    if (verify->out)
        enc_snapshot_put_event(verify->out, &event, false, false);
    if (inner && !keep_claim(verify, &event, element))
        return enc_verify_fail(verify, "malformed", seq, "an event comes without its status");
    return check_state(verify, seq);
}

/* What was said before a change arrived is no lie: only changes up to info_seq count against it. */
static bool is_claim_true(const struct enc_verify *verify, const struct enc_verify_claim *claim)
{
    const struct enc_replay_event *event = enc_replay_find(&verify->replay, claim->id32);
    const struct enc_replay_event *by = enc_replay_find(&verify->replay, claim->by32);
    bool says_active = claim->status == ENC_EVENT_ACTIVE;
    if (event->status == claim->status && (says_active || event->by == by))
        return true;
    bool is_newer = !says_active && !by; /* than the end of what was read */
    return verify->is_online && (is_newer || (event->by && event->by->seq > verify->info_seq));
}

static bool check_claims(struct enc_verify *verify)
{
    for (const struct enc_verify_claim *c = verify->claims; c; c = c->next)
        if (!is_claim_true(verify, c))
            return enc_verify_fail(verify, "status", enc_replay_find(&verify->replay, c->id32)->seq,
                                   "the status of an event is not what the log makes of it");
    return true;
}

static bool read_line(struct enc_verify *verify, struct enc_bytes line)
{
    struct enc_json *json = NULL;
    struct enc_json_facts facts;
    if (line.len == 0)
        return true;
    if (enc_json_parse(&json, &verify->page, line, &facts) != ENC_ERR_OK)
        return enc_verify_fail(verify, "malformed", verify->replay.next_seq, "a line is no JSON");
    if (enc_json_get(json, "enc_snapshot") || enc_json_get(json, "enc_snapshot_end"))
        return true; /* the first and last line of an export */
    bool is_good = enc_verify_element(verify, json);
    enc_arena_fini(&verify->page);
    return is_good;
}

static bool read_file_log(struct enc_verify *verify, const char *path)
{
    struct enc_bytes text;
    if (!enc_ctl_read_file(verify->ctl, &text, path)) {
        verify->has_failed = true;
        return false;
    }
    while (text.len > 0) {
        const uint8_t *end = (const uint8_t *)memchr(text.data, '\n', text.len);
        size_t len = end ? (size_t)(end - text.data) : text.len;
        size_t step = end ? len + 1 : len;
        if (!read_line(verify, enc_bytes_of(text.data, len)))
            return false;
        text = enc_bytes_of(text.data + step, text.len - step);
    }
    return true;
}

/* ---- the command ---- */

static bool finish(struct enc_verify *verify)
{
    return enc_replay_finish(&verify->replay) || tell_replay(verify);
}

static void put_head(struct enc_verify *verify)
{
    struct enc_snapshot_head head = {
        .service = verify->service,
        .seq = verify->info_seq,
        .ct_size = verify->head.ts,
        .sth = verify->head,
    };
    memcpy(head.enclave32, verify->enclave32, 32);
    memcpy(head.sequencer32, verify->ctl->seq_pub32, 32);
    memcpy(head.ct_root32, verify->head.r32, 32);
    memcpy(head.state_hash32, verify->info_state32, 32);
    enc_snapshot_put_head(verify->out, &head);
}

static bool run(struct enc_verify *verify)
{
    const char *file = verify->args->values[ENC_OPTION_FILE];
    if (verify->is_online && !enc_verify_ask_node(verify))
        return false;
    if (!enc_verify_recall(verify))
        return false;
    if (verify->out)
        put_head(verify);
    enc_replay_expect(&verify->replay, verify->heads, verify->head_count);
    bool is_read = verify->is_online ? enc_verify_read_log(verify) : read_file_log(verify, file);
    if (!is_read || !finish(verify) || !check_claims(verify))
        return false;
    return !verify->is_online || (enc_verify_check_node(verify) && enc_verify_remember(verify));
}

static void begin(struct enc_verify *verify)
{
    struct enc_replay_config config = {
        .curve = verify->ctl->curve,
        .chunks = &verify->ctl->chunks,
        .memory_max = (size_t)MEMORY_GIB << 30,
        .enclave32 = verify->has_enclave ? verify->enclave32 : NULL,
        .sequencer32 = verify->has_sequencer ? verify->sequencer32 : NULL,
        .has_push = !verify->ctl->has_node || verify->ctl->has_push,
        .observe = keep_leaf,
        .opaque = verify,
    };
    enc_replay_init(&verify->replay, &config);
    enc_arena_init(&verify->page, &verify->ctl->chunks, SIZE_MAX / 2);
}

static bool take_words(struct enc_verify *verify)
{
    const struct enc_args *args = verify->args;
    const char *sequencer = args->values[ENC_OPTION_SEQUENCER];
    verify->has_enclave = args->word_count > 0;
    verify->has_sequencer = sequencer != NULL;
    verify->is_online = !args->values[ENC_OPTION_FILE];
    if (verify->is_online && !verify->has_enclave) {
        enc_out_fault("verify ENCLAVE, or verify --file FILE");
        return false;
    }
    return (!verify->has_enclave || enc_ctl_hex32(verify->enclave32, args->words[0], "ENCLAVE")) &&
           (!sequencer || enc_ctl_hex32(verify->sequencer32, sequencer, "--sequencer"));
}

enum enc_exit enc_export_node(struct enc_ctl *ctl, const struct enc_args *args)
{
    struct enc_snapshot_out out;
    struct enc_verify verify = {.ctl = ctl, .args = args, .out = &out};
    if (!take_words(&verify))
        return ENC_EXIT_USAGE;
    if (!enc_node_know(ctl) || !enc_snapshot_create(&out, ctl, args->values[ENC_OPTION_GZIP]))
        return ENC_EXIT_REFUSED;
    begin(&verify);
    bool is_whole = run(&verify);
    bool is_written = enc_snapshot_finish(&out, &verify.head, is_whole);
    enc_arena_fini(&verify.page);
    enc_replay_fini(&verify.replay);
    return is_whole && is_written ? ENC_EXIT_OK : ENC_EXIT_REFUSED;
}

enum enc_exit enc_command_verify(struct enc_ctl *ctl, const struct enc_args *args)
{
    struct enc_verify verify = {.ctl = ctl, .args = args};
    if (!take_words(&verify))
        return ENC_EXIT_USAGE;
    if (verify.is_online && !enc_node_know(ctl))
        return ENC_EXIT_REFUSED;
    begin(&verify);
    bool is_sound = run(&verify);
    if (is_sound)
        tell_sound(&verify);
    enc_arena_fini(&verify.page);
    enc_replay_fini(&verify.replay);
    return is_sound ? ENC_EXIT_OK : ENC_EXIT_REFUSED;
}
