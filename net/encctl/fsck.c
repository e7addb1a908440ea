/* fsck: replay every enclave of a data directory that nobody has open. */
#include "net/encctl/offline.h"
#include "net/encctl/out.h"
#include "services/check.h"

#include <inttypes.h>
#include <stdio.h>

enum { MEMORY_GIB = 16 };

struct fsck {
    struct enc_ctl *ctl;
    struct enc_offline offline;
    uint64_t enclaves;
    uint64_t events;
    uint64_t flaws;
};

/* ---- results ---- */

static void put_flaw(struct enc_buffer *text, const struct enc_check_report *report)
{
    enc_json_put_raw(text, report->flaw);
    if (report->has_at) {
        enc_json_put_raw(text, " (at ");
        enc_json_put_u64(text, report->at);
        enc_json_put_raw(text, ")");
    }
    if (report->verdict.fault != ENC_REPLAY_SOUND) {
        enc_json_put_raw(text, ": ");
        enc_replay_describe(text, &report->verdict);
    }
}

static void put_report(struct enc_buffer *out, const struct enc_check_report *report,
                       struct enc_bytes flaw)
{
    enc_json_put_raw(out, report->flaw ? "{\"ok\":false" : "{\"ok\":true");
    enc_json_member_hex(out, "enclave", enc_bytes_of(report->enclave32, 32));
    enc_json_member_u64(out, "events", report->event_count);
    enc_json_member_u64(out, "bundles", report->leaf_count);
    if (report->flaw)
        enc_json_member_text(out, "text", flaw);
    enc_json_put_raw(out, "}");
}

static void tell_enclave(struct fsck *fsck, const struct enc_check_report *report)
{
    struct enc_arena arena;
    struct enc_buffer text;
    struct enc_buffer out;
    enc_arena_init(&arena, &fsck->ctl->chunks, 1 << 20);
    enc_buffer_init(&text, &arena, 1 << 16);
    enc_buffer_init(&out, &arena, 1 << 16);
    if (report->flaw)
        put_flaw(&text, report);
    struct enc_bytes flaw = enc_bytes_of(text.data, text.len);
    if (fsck->ctl->is_json) {
        put_report(&out, report, flaw);
        enc_out_buffer(&out);
    } else if (report->flaw) {
        enc_out_hex("NOT SOUND", report->enclave32, 32);
        enc_out_text("", flaw);
    }
    enc_arena_fini(&arena);
}

static void tell_shape(void *opaque, const struct enc_store_flaw *flaw)
{
    struct fsck *fsck = (struct fsck *)opaque;
    struct enc_buffer out;
    enc_buffer_init(&out, &fsck->ctl->arena, 1 << 16);
    enc_json_put_raw(&out, "{\"ok\":false");
    enc_json_member_text(&out, "table", enc_bytes_of_text(enc_table_row(flaw->table)->name));
    enc_json_member_hex(&out, "key", flaw->key);
    enc_json_member_text(&out, "text", enc_bytes_of_text(flaw->what));
    enc_json_put_raw(&out, "}");
    if (fsck->ctl->is_json)
        enc_out_buffer(&out);
    else
        printf("NOT SOUND      a row of table %s %s\n", enc_table_row(flaw->table)->name,
               flaw->what);
}

static void tell_page(void *opaque, const struct enc_page_flaw *flaw)
{
    struct fsck *fsck = (struct fsck *)opaque;
    struct enc_buffer out;
    const char *tree = flaw->tree[0] ? flaw->tree : "none";
    enc_buffer_init(&out, &fsck->ctl->arena, 1 << 16);
    enc_json_put_raw(&out, "{\"ok\":false");
    enc_json_member_u64(&out, "shard", flaw->shard);
    enc_json_member_text(&out, "table", enc_bytes_of_text(tree));
    enc_json_member_u64(&out, "page", flaw->page);
    enc_json_member_text(&out, "text", enc_bytes_of_text(flaw->what));
    enc_json_put_raw(&out, "}");
    if (fsck->ctl->is_json)
        enc_out_buffer(&out);
    else
        printf("NOT SOUND      page %" PRIu64 " of shard %u (table %s) %s\n", flaw->page,
               flaw->shard, tree, flaw->what);
}

/* ---- the check ---- */

/* The engine trusts its pages: where they are wrong it would go astray, and opening writes. */
static enum enc_exit check_pages(struct fsck *fsck, const char *dir)
{
    struct enc_store_note note;
    uint64_t flaw_count = 0;
    if (!enc_offline_is_data(dir))
        return ENC_EXIT_USAGE;
    if (enc_data_check_pages(&note, &flaw_count, dir, tell_page, fsck) != ENC_STORE_FAULT_NONE) {
        enc_out_fault("%s", note.text);
        return ENC_EXIT_REFUSED;
    }
    fsck->flaws += flaw_count;
    if (flaw_count > 0)
        enc_out_fault("%s: the pages are damaged, so their rows were not read", dir);
    return flaw_count > 0 ? ENC_EXIT_REFUSED : ENC_EXIT_OK;
}

static bool check_enclave(struct fsck *fsck, struct enc_snap *snap, uint64_t ord)
{
    struct enc_check_report report;
    struct enc_check_config config = {
        .curve = fsck->ctl->curve,
        .chunks = &fsck->ctl->chunks,
        .memory_max = (size_t)MEMORY_GIB << 30,
        .node_pub32 = fsck->offline.node_pub32,
    };
    enum enc_err err = enc_enclave_check(&report, snap, ord, &config);
    if (err != ENC_ERR_OK)
        report.flaw = "the store cannot be read";
    tell_enclave(fsck, &report);
    fsck->enclaves++;
    fsck->events += report.event_count;
    fsck->flaws += report.flaw != NULL;
    return err == ENC_ERR_OK;
}

static bool check_enclaves(struct fsck *fsck, struct enc_snap *snap)
{
    struct enc_scan scan;
    struct enc_enclave_found found;
    bool reads_on = true;
    enc_scan_enclaves(&scan, snap, (struct enc_range){.first = 0, .last = UINT64_MAX});
    while (reads_on && enc_scan_enclave(&scan, &found))
        reads_on = check_enclave(fsck, snap, found.ord);
    return enc_scan_fini(&scan) == ENC_ERR_OK && reads_on;
}

static bool check_shard(struct fsck *fsck, struct enc_store *store)
{
    struct enc_snap *snap = NULL;
    uint64_t flaw_count = 0;
    if (enc_snap_open(store, &snap) != ENC_ERR_OK)
        return false;
    bool reads_on = enc_store_verify(snap, &flaw_count, tell_shape, fsck) == ENC_ERR_OK;
    fsck->flaws += flaw_count;
    reads_on = reads_on && check_enclaves(fsck, snap);
    enc_snap_close(snap);
    return reads_on;
}

static bool check_shards(struct fsck *fsck)
{
    for (uint32_t i = 0; i < enc_data_shard_count(fsck->offline.data); i++)
        if (!check_shard(fsck, enc_data_shard_at(fsck->offline.data, i)))
            return false;
    return true;
}

/* ---- the command ---- */

static void summarize(const struct fsck *fsck)
{
    if (fsck->ctl->is_json)
        printf("{\"ok\":%s,\"enclaves\":%" PRIu64 ",\"events\":%" PRIu64 ",\"flaws\":%" PRIu64
               "}\n",
               fsck->flaws ? "false" : "true", fsck->enclaves, fsck->events, fsck->flaws);
    else
        printf("%" PRIu64 " enclaves, %" PRIu64 " events, %" PRIu64 " flaws\n", fsck->enclaves,
               fsck->events, fsck->flaws);
}

enum enc_exit enc_command_fsck(struct enc_ctl *ctl, const struct enc_args *args)
{
    struct fsck fsck = {.ctl = ctl};
    const char *dir = args->words[0];
    enum enc_exit status = check_pages(&fsck, dir);
    if (fsck.flaws > 0)
        summarize(&fsck);
    if (status == ENC_EXIT_OK)
        status = enc_offline_open(&fsck.offline, ctl, dir);
    if (status != ENC_EXIT_OK)
        return status;
    bool reads_on = check_shards(&fsck);
    if (!reads_on)
        enc_out_fault("%s: the store cannot be read on", dir);
    summarize(&fsck);
    enc_offline_close(&fsck.offline);
    return reads_on && fsck.flaws == 0 ? ENC_EXIT_OK : ENC_EXIT_REFUSED;
}
