/* export: an enclave as a file, out of a data directory; verify.c has the half that asks a node. */
#include "net/encctl/export.h"
#include "net/encctl/offline.h"
#include "net/encctl/out.h"
#include "proto/record.h"
#include "proto/sha256.h"
#include "services/host.h"
#include "services/shown.h"
#include "services/state.h"

#include <stdio.h>
#include <unistd.h>

enum { MEMORY_GIB = 16 };

struct exporting {
    struct enc_ctl *ctl;
    struct enc_offline offline;
    struct enc_snap *snap;
    struct enc_enclave_row row;
    struct enc_state state;
    struct enc_replay replay;
    struct enc_snapshot_out out;
    struct enc_shown shown;
    struct enc_arena page;
};

static bool fail(const char *what)
{
    enc_out_fault("%s", what);
    return false;
}

static bool tell_replay(const struct exporting *exporting)
{
    struct enc_buffer text;
    enc_buffer_init(&text, &exporting->ctl->arena, 1 << 16);
    enc_replay_describe(&text, &exporting->replay.verdict);
    enc_out_fault("%.*s", (int)text.len, (const char *)text.data);
    return false;
}

/* ---- events ---- */

/* Readers do not get what was deleted, and neither does another node: its hash takes its place. */
static bool put_event(struct exporting *exporting, struct enc_bytes record)
{
    const struct enc_reader nobody = {.is_known = false};
    const struct enc_roles none = {{0}};
    const struct enc_viewer viewer = {exporting->snap, exporting->row.ord,
                                      &exporting->replay.manifest, &nobody, &none};
    struct enc_shown *shown = &exporting->shown;
    if (enc_shown_load(shown, &viewer, record) != ENC_ERR_OK)
        return fail("the store cannot be read on");
    struct enc_commit *commit = &shown->event.commit;
    if (!shown->event.is_erased)
        enc_sha256(commit->content_hash32, commit->content);
    enc_snapshot_put_event(&exporting->out, &shown->event, shown->element.hides_content, true);
    return true;
}

static bool take_event(struct exporting *exporting, struct enc_bytes record)
{
    struct enc_event event;
    bool is_sound = enc_record_take(&event, &exporting->page, record) == ENC_ERR_OK;
    if (!is_sound)
        return fail("an event's record cannot be read");
    is_sound = enc_replay_feed(&exporting->replay, &event);
    enc_arena_fini(&exporting->page);
    return is_sound ? put_event(exporting, record) : tell_replay(exporting);
}

static bool put_events(struct exporting *exporting)
{
    struct enc_scan scan;
    struct enc_event_found found;
    bool is_good = true;
    struct enc_range all = {.first = 0, .last = UINT64_MAX};
    enc_scan_events(&scan, exporting->snap, exporting->row.ord, all);
    while (is_good && enc_scan_event(&scan, &found))
        is_good = take_event(exporting, found.record);
    if (enc_scan_fini(&scan) != ENC_ERR_OK)
        return fail("the store cannot be read on");
    return is_good && (enc_replay_finish(&exporting->replay) || tell_replay(exporting));
}

/* ---- the whole ---- */

static bool load(struct exporting *exporting, const uint8_t enclave32[32])
{
    struct enc_bytes record;
    struct enc_store *store = enc_data_shard(exporting->offline.data, enclave32);
    if (enc_snap_open(store, &exporting->snap) != ENC_ERR_OK)
        return fail("the store cannot be read");
    if (enc_snap_enclave(exporting->snap, &exporting->row, enclave32) != ENC_ERR_OK)
        return fail("there is no such enclave");
    bool is_good =
        enc_snap_head(exporting->snap, &record, exporting->row.ord) == ENC_ERR_OK &&
        enc_state_decode(&exporting->state, &exporting->ctl->arena, record) == ENC_ERR_OK &&
        exporting->row.service < enc_service_count();
    return is_good || fail("the enclave's head cannot be read");
}

static void put_head(struct exporting *exporting)
{
    const struct enc_state *state = &exporting->state;
    struct enc_snapshot_head head = {
        .service = enc_bytes_of_text(enc_service_at(exporting->row.service)->name),
        .seq = state->next_seq - 1,
        .ct_size = state->ct.count,
        .sth = state->sth,
    };
    memcpy(head.enclave32, state->enclave32, 32);
    memcpy(head.sequencer32, exporting->offline.node_pub32, 32);
    memcpy(head.state_hash32, state->smt.hash32, 32);
    enc_frontier_root(&state->ct, head.ct_root32);
    enc_snapshot_put_head(&exporting->out, &head);
}

/* Before the first bundle is closed the node has signed none; readers get one made on the spot. */
static bool has_head(const struct exporting *exporting)
{
    return exporting->state.sth.ts > 0 ||
           fail("no bundle of it is closed yet: there is no signed tree head to go with it");
}

static bool write_all(struct exporting *exporting, const uint8_t enclave32[32], bool is_gzip)
{
    struct enc_replay_config config = {
        .curve = exporting->ctl->curve,
        .chunks = &exporting->ctl->chunks,
        .memory_max = (size_t)MEMORY_GIB << 30,
        .enclave32 = enclave32,
        .has_push = true,
        .is_stored = true,
    };
    if (!load(exporting, enclave32) || !has_head(exporting) ||
        !enc_snapshot_create(&exporting->out, exporting->ctl, is_gzip))
        return false;
    enc_replay_init(&exporting->replay, &config);
    enc_replay_expect(&exporting->replay, &exporting->state.sth, 1);
    put_head(exporting);
    bool is_whole = put_events(exporting);
    enc_replay_fini(&exporting->replay);
    return enc_snapshot_finish(&exporting->out, &exporting->state.sth, is_whole) && is_whole;
}

enum enc_exit enc_export_data(struct enc_ctl *ctl, const struct enc_args *args,
                              const uint8_t enclave32[32])
{
    static struct exporting exporting;
    exporting.ctl = ctl;
    enum enc_exit status = enc_offline_open(&exporting.offline, ctl, args->values[ENC_OPTION_DATA]);
    if (status != ENC_EXIT_OK)
        return status;
    enc_arena_init(&exporting.page, &ctl->chunks, SIZE_MAX / 2);
    bool is_done = write_all(&exporting, enclave32, args->values[ENC_OPTION_GZIP] != NULL);
    enc_snap_close(exporting.snap);
    enc_offline_close(&exporting.offline);
    enc_arena_fini(&exporting.page);
    return is_done ? ENC_EXIT_OK : ENC_EXIT_REFUSED;
}

enum enc_exit enc_command_export(struct enc_ctl *ctl, const struct enc_args *args)
{
    uint8_t enclave32[32];
    if (!enc_ctl_hex32(enclave32, args->words[0], "ENCLAVE"))
        return ENC_EXIT_USAGE;
    if (isatty(STDOUT_FILENO) && args->values[ENC_OPTION_GZIP]) {
        enc_out_fault("--gzip is nothing for a terminal: encctl export ENCLAVE --gzip > FILE");
        return ENC_EXIT_USAGE;
    }
    return args->values[ENC_OPTION_DATA] ? enc_export_data(ctl, args, enclave32)
                                         : enc_export_node(ctl, args);
}
