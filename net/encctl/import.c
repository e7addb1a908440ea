/* import: an enclave that was moved to this node comes into its data directory. */
#include "services/import.h"

#include "net/encctl/heads.h"
#include "net/encctl/offline.h"
#include "net/encctl/out.h"
#include "net/encctl/snapshot.h"
#include "net/key.h"
#include "net/process.h"
#include "services/host.h"

#include <inttypes.h>
#include <stdio.h>

enum { MEMORY_GIB = 16 };

struct importing {
    struct enc_ctl *ctl;
    const struct enc_args *args;
    struct enc_offline offline;
    struct enc_key node;
    struct enc_snapshot_in in;
    struct enc_snapshot_head head;
    struct enc_sth end;
    struct enc_import import;
    struct enc_sth *heads;
    size_t head_count;
};

static bool fail(const struct importing *importing, const char *what)
{
    enc_out_fault("%s: %s", importing->in.path, what);
    return false;
}

/* ---- before the log ---- */

static bool find_service(const struct importing *importing, unsigned *service)
{
    for (unsigned i = 0; i < enc_service_count(); i++) {
        *service = i;
        if (enc_bytes_is(importing->head.service, enc_service_at(i)->name))
            return true;
    }
    return fail(importing, "its service is none of this program's");
}

static bool load_key(struct importing *importing, const char *dir)
{
    char path[4096];
    uint8_t priv32[32];
    struct enc_key_fault fault;
    const char *given = importing->args->values[ENC_OPTION_KEY];
    snprintf(path, sizeof path, "%s%s", given ? given : dir, given ? "" : "/node.key");
    if (!enc_key_read(priv32, &fault, path)) {
        enc_out_fault("%s", fault.text);
        return false;
    }
    bool is_key = enc_key_init(&importing->node, importing->ctl->curve, priv32);
    enc_process_wipe(priv32, sizeof priv32);
    return is_key;
}

static const struct enc_seen *find_seen(const struct enc_seen *list, const uint8_t enclave32[32])
{
    while (list && memcmp(list->enclave32, enclave32, 32) != 0)
        list = list->next;
    return list;
}

/* The head of the file, and those that others saw of the node that gives the enclave away. */
static bool gather_heads(struct importing *importing)
{
    struct enc_seen *list = NULL;
    const char *path = importing->args->values[ENC_OPTION_HEADS];
    const struct enc_snapshot_head *head = &importing->head;
    if (path && !enc_seen_read(&list, importing->ctl, path, head->sequencer32))
        return false;
    const struct enc_seen *seen = find_seen(list, head->enclave32);
    size_t seen_count = seen ? seen->head_count : 0;
    if (path && !seen)
        return fail(importing, "no tree head of --heads is of this enclave");
    importing->heads = ENC_ARENA_NEW(&importing->ctl->arena, struct enc_sth, seen_count + 1);
    ENC_CHECK(importing->heads != NULL);
    for (size_t i = 0; i < seen_count; i++)
        importing->heads[i] = seen->heads[i];
    importing->heads[seen_count] = head->sth;
    importing->head_count = seen_count + 1;
    enc_heads_sort(importing->heads, importing->head_count);
    return true;
}

/* ---- the log ---- */

static bool tell_refusal(const struct importing *importing)
{
    struct enc_buffer text;
    const struct enc_import *import = &importing->import;
    enc_buffer_init(&text, &importing->ctl->arena, 1 << 16);
    if (import->flaw)
        enc_json_put_raw(&text, import->flaw);
    else
        enc_replay_describe(&text, &import->replay.verdict);
    enc_out_fault("%s: line %" PRIu64 ": %.*s", importing->in.path, importing->in.line_number,
                  (int)text.len, (const char *)text.data);
    return false;
}

static bool read_events(struct importing *importing)
{
    struct enc_event event;
    enum enc_snapshot_step step;
    while ((step = enc_snapshot_next(&importing->in, &event, &importing->end)) ==
           ENC_SNAPSHOT_EVENT)
        if (!enc_import_event(&importing->import, &event))
            return tell_refusal(importing);
    return step == ENC_SNAPSHOT_END;
}

/* The last head must be over the whole log, and the first line must have told no tales. */
static bool check_ends(struct importing *importing)
{
    struct enc_replay *replay = &importing->import.replay;
    const struct enc_snapshot_head *head = &importing->head;
    uint8_t root32[32];
    uint8_t state_hash32[32];
    enc_frontier_root(&replay->ct, root32);
    enc_replay_state_hash(replay, state_hash32);
    if (!enc_sth_verify(importing->ctl->curve, &importing->end, replay->sequencer32) ||
        importing->end.ts != replay->ct.count || memcmp(importing->end.r32, root32, 32) != 0)
        return fail(importing, "the tree head at its end is not one over this log");
    bool is_true = memcmp(head->sequencer32, replay->sequencer32, 32) == 0 &&
                   head->seq + 1 == replay->next_seq && head->ct_size == replay->ct.count &&
                   memcmp(head->ct_root32, root32, 32) == 0 &&
                   memcmp(head->state_hash32, state_hash32, 32) == 0;
    return is_true || fail(importing, "its first line says something else than its log");
}

static bool is_moved(const struct importing *importing)
{
    return importing->import.replay.status == ENC_STATUS_MIGRATED;
}

static bool run(struct importing *importing, unsigned service)
{
    struct enc_import_config config = {
        .curve = importing->ctl->curve,
        .chunks = &importing->ctl->chunks,
        .memory_max = (size_t)MEMORY_GIB << 30,
        .node = &importing->node,
        .now_ms = enc_process_now_ms(),
        .service = service,
        .enclave32 = importing->head.enclave32,
        .heads = importing->heads,
        .head_count = importing->head_count,
    };
    enc_import_init(&importing->import, importing->offline.data, &config);
    bool is_good = read_events(importing) && (!is_moved(importing) || check_ends(importing)) &&
                   (enc_import_finish(&importing->import) || tell_refusal(importing));
    return is_good;
}

/* ---- the command ---- */

static void tell(const struct importing *importing)
{
    struct enc_buffer out;
    const struct enc_replay *replay = &importing->import.replay;
    enc_buffer_init(&out, &importing->ctl->arena, 1 << 16);
    enc_json_put_raw(&out, "{\"ok\":true");
    enc_json_member_hex(&out, "enclave", enc_bytes_of(replay->enclave32, 32));
    enc_json_member_hex(&out, "sequencer", enc_bytes_of(replay->sequencer32, 32));
    enc_json_member_u64(&out, "events", replay->next_seq);
    enc_json_member_u64(&out, "bundles", replay->ct.count);
    enc_json_member_text(&out, "service", importing->head.service);
    enc_json_put_raw(&out, "}");
    if (importing->ctl->is_json) {
        enc_out_buffer(&out);
        return;
    }
    enc_out_hex("imported", replay->enclave32, 32);
    enc_out_u64("events", replay->next_seq);
    enc_out_u64("next seq", replay->next_seq);
}

static bool import_into(struct importing *importing, const char *dir)
{
    unsigned service = 0;
    if (!load_key(importing, dir) || !find_service(importing, &service) || !gather_heads(importing))
        return false;
    bool is_done = run(importing, service);
    if (is_done)
        tell(importing);
    enc_import_fini(&importing->import);
    return is_done;
}

enum enc_exit enc_command_import(struct enc_ctl *ctl, const struct enc_args *args)
{
    static struct importing importing;
    const char *dir = args->values[ENC_OPTION_DATA];
    importing.ctl = ctl;
    importing.args = args;
    if (!dir) {
        enc_out_fault("import FILE --data DIR, of the node that goes on");
        return ENC_EXIT_USAGE;
    }
    enum enc_exit status = enc_offline_open(&importing.offline, ctl, dir);
    if (status != ENC_EXIT_OK)
        return status;
    bool is_done = enc_snapshot_open(&importing.in, &importing.head, ctl, args->words[0]) &&
                   import_into(&importing, dir);
    enc_snapshot_close(&importing.in);
    enc_key_wipe(&importing.node);
    enc_offline_close(&importing.offline);
    return is_done ? ENC_EXIT_OK : ENC_EXIT_REFUSED;
}
