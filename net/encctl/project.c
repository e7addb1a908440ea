/*
 * project: fold the DataViews of a data directory that nobody has open from their events again.
 * With --check that happens in a directory of its own, and what is stored is compared with it.
 */
#include "net/encctl/offline.h"
#include "net/encctl/out.h"
#include "services/fold.h"
#include "services/host.h"
#include "services/rows.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

enum { DIR_LEN_MAX = 4096, FILES_MAX = 16 };

struct project {
    struct enc_ctl *ctl;
    struct enc_offline offline;
    struct enc_data *scratch; /* with --check */
    char scratch_dir[DIR_LEN_MAX];
    uint8_t wanted32[32]; /* only this enclave */
    bool is_one;
    bool is_check;
    uint64_t enclaves;
    uint64_t failures; /* differ, or could not be folded */
};

/* ---- the scratch directory ---- */

static int remove_entry(const char *path, const struct stat *stat, int type, struct FTW *ftw)
{
    (void)stat;
    (void)type;
    (void)ftw;
    return remove(path);
}

static void close_scratch(struct project *project)
{
    if (!project->scratch)
        return;
    enc_data_close(project->scratch);
    project->scratch = NULL;
    nftw(project->scratch_dir, remove_entry, FILES_MAX, FTW_DEPTH | FTW_PHYS);
}

static bool open_scratch(struct project *project)
{
    struct enc_store_note note;
    struct enc_data_config config = {.dir = project->scratch_dir,
                                     .node_pub32 = project->offline.node_pub32,
                                     .shard_count = 1,
                                     .sync = false};
    const char *parent = getenv("TMPDIR");
    snprintf(project->scratch_dir, sizeof project->scratch_dir, "%s/enclaved-project-XXXXXX",
             parent && *parent ? parent : "/tmp");
    if (!mkdtemp(project->scratch_dir)) {
        enc_out_fault("%s: cannot be made", project->scratch_dir);
        return false;
    }
    if (enc_data_open(&project->scratch, &note, &config) == ENC_STORE_FAULT_NONE)
        return true;
    enc_out_fault("%s", note.text);
    return false;
}

/* ---- one enclave ---- */

static void tell(const struct project *project, const uint8_t enclave32[32], const char *verdict,
                 const struct enc_fold_report *report)
{
    struct enc_arena arena;
    struct enc_buffer out;
    enc_arena_init(&arena, &project->ctl->chunks, 1 << 20);
    enc_buffer_init(&out, &arena, 1 << 16);
    if (project->ctl->is_json) {
        enc_json_put_raw(&out, "{");
        enc_json_member_hex(&out, "enclave", enc_bytes_of(enclave32, 32));
        enc_json_member_text(&out, "result", enc_bytes_of_text(verdict));
        enc_json_member_u64(&out, "events", report->own_count);
        enc_json_member_u64(&out, "pushed", report->pushed_count);
        enc_json_put_raw(&out, "}");
        enc_out_buffer(&out);
    } else {
        enc_out_hex(verdict, enclave32, 32);
    }
    enc_arena_fini(&arena);
}

static enum enc_err compare(const char **verdict, struct project *project, struct enc_snap *snap,
                            uint64_t ord)
{
    uint8_t stored32[32];
    uint8_t folded32[32];
    uint64_t stored_count = 0;
    uint64_t folded_count = 0;
    struct enc_snap *scratch = NULL;
    ENC_TRY(enc_fold_digest(stored32, &stored_count, snap, ord));
    ENC_TRY(enc_snap_open(enc_data_shard_at(project->scratch, 0), &scratch));
    enum enc_err err = enc_fold_digest(folded32, &folded_count, scratch, ord);
    enc_snap_close(scratch);
    bool is_same = stored_count == folded_count && memcmp(stored32, folded32, 32) == 0;
    *verdict = is_same ? "same" : "differs";
    project->failures += !is_same;
    return err;
}

static enum enc_err check(struct project *project, struct enc_store *store, struct enc_snap *snap,
                          const struct enc_fold_config *config)
{
    struct enc_fold_report report;
    const char *verdict = NULL;
    struct enc_store *scratch = enc_data_shard_at(project->scratch, 0);
    (void)store;
    ENC_TRY(enc_fold_drop(scratch, config)); /* another shard may have had the same ord */
    ENC_TRY(enc_fold_into(scratch, &report, snap, config));
    ENC_TRY(compare(&verdict, project, snap, config->ord));
    tell(project, config->own32, verdict, &report);
    return ENC_ERR_OK;
}

static enum enc_err rebuild(struct project *project, struct enc_store *store, struct enc_snap *snap,
                            const struct enc_fold_config *config)
{
    struct enc_fold_report report;
    ENC_TRY(enc_fold_drop(store, config));
    ENC_TRY(enc_fold_into(store, &report, snap, config));
    tell(project, config->own32, "rebuilt", &report);
    return ENC_ERR_OK;
}

static enum enc_err project_enclave(struct project *project, struct enc_store *store,
                                    struct enc_snap *snap, const struct enc_enclave_found *found)
{
    struct enc_enclave_row row;
    ENC_TRY(enc_snap_enclave(snap, &row, found->enclave32));
    if (row.service >= enc_service_count())
        return ENC_ERR_INTERNAL;
    const struct enc_fold_config config = {
        .curve = project->ctl->curve,
        .chunks = &project->ctl->chunks,
        .view = enc_service_at(row.service)->view,
        .own32 = found->enclave32,
        .ord = row.ord,
    };
    if (!config.view)
        return ENC_ERR_OK;
    project->enclaves++;
    return project->is_check ? check(project, store, snap, &config)
                             : rebuild(project, store, snap, &config);
}

/* ---- all of them ---- */

static bool is_wanted(const struct project *project, const uint8_t enclave32[32])
{
    return !project->is_one || memcmp(project->wanted32, enclave32, 32) == 0;
}

static enum enc_err project_shard(struct project *project, struct enc_store *store)
{
    struct enc_snap *snap = NULL;
    struct enc_scan scan;
    struct enc_enclave_found found;
    ENC_TRY(enc_snap_open(store, &snap));
    enum enc_err err = ENC_ERR_OK;
    enc_scan_enclaves(&scan, snap, (struct enc_range){.first = 0, .last = UINT64_MAX});
    while (err == ENC_ERR_OK && enc_scan_enclave(&scan, &found))
        if (is_wanted(project, found.enclave32))
            err = project_enclave(project, store, snap, &found);
    enum enc_err end = enc_scan_fini(&scan);
    enc_snap_close(snap);
    return err == ENC_ERR_OK ? end : err;
}

/* ---- whose enclaves they are: rows that belong to no enclave ---- */

static const struct enc_row_range OWNERS = {.view = {0, ENC_SHARED_OWNER}};

/* Counts the owners of one shard; *is_same false: the log makes one of them nobody's. */
static enum enc_err compare_owners(uint64_t *count, bool *is_same, struct enc_snap *snap,
                                   struct enc_snap *folded)
{
    struct enc_scan scan;
    struct enc_row_found row;
    struct enc_bytes value;
    enum enc_err err = ENC_ERR_OK;
    enc_scan_rows(&scan, snap, &OWNERS);
    for (; err == ENC_ERR_OK && *is_same && enc_scan_row(&scan, &row); (*count)++)
        err = enc_snap_row(folded, is_same, &value, OWNERS.view, row.key);
    enum enc_err end = enc_scan_fini(&scan);
    return err == ENC_ERR_OK ? end : err;
}

static enum enc_err check_owners_of(uint64_t *count, bool *is_same, struct enc_store *store,
                                    struct enc_snap *folded)
{
    struct enc_snap *snap = NULL;
    ENC_TRY(enc_snap_open(store, &snap));
    enum enc_err err = compare_owners(count, is_same, snap, folded);
    enc_snap_close(snap);
    return err;
}

/* The scratch store now has those of every shard, one by one. */
static enum enc_err check_owners(struct project *project)
{
    struct enc_snap *folded = NULL;
    uint64_t stored_count = 0;
    uint64_t folded_count = 0;
    bool is_same = true;
    ENC_TRY(enc_snap_open(enc_data_shard_at(project->scratch, 0), &folded));
    enum enc_err err = compare_owners(&folded_count, &is_same, folded, folded);
    for (uint32_t i = 0; i < enc_data_shard_count(project->offline.data) && err == ENC_ERR_OK; i++)
        err = check_owners_of(&stored_count, &is_same, enc_data_shard_at(project->offline.data, i),
                              folded);
    enc_snap_close(folded);
    if (err == ENC_ERR_OK && (!is_same || stored_count != folded_count)) {
        enc_out_fault("the rows that tell whose an enclave is differ");
        project->failures++;
    }
    return err;
}

static enum enc_exit project_all(struct project *project)
{
    enum enc_err err = ENC_ERR_OK;
    for (uint32_t i = 0; i < enc_data_shard_count(project->offline.data) && err == ENC_ERR_OK; i++)
        err = project_shard(project, enc_data_shard_at(project->offline.data, i));
    if (err == ENC_ERR_OK && project->is_check && !project->is_one)
        err = check_owners(project);
    if (err != ENC_ERR_OK)
        enc_out_fault("the store cannot be folded: %s", enc_err_row(err)->message);
    else if (project->is_one && project->enclaves == 0)
        enc_out_fault("no such enclave with a DataView");
    else if (project->failures == 0)
        return ENC_EXIT_OK;
    return ENC_EXIT_REFUSED;
}

enum enc_exit enc_command_project(struct enc_ctl *ctl, const struct enc_args *args)
{
    struct project project = {.ctl = ctl, .is_one = args->word_count > 1};
    project.is_check = args->values[ENC_OPTION_CHECK] != NULL;
    if (project.is_one && !enc_ctl_hex32(project.wanted32, args->words[1], "ENCLAVE"))
        return ENC_EXIT_USAGE;
    enum enc_exit status = enc_offline_open(&project.offline, ctl, args->words[0]);
    if (status != ENC_EXIT_OK)
        return status;
    bool is_ready = !project.is_check || open_scratch(&project);
    status = is_ready ? project_all(&project) : ENC_EXIT_REFUSED;
    close_scratch(&project);
    enc_offline_close(&project.offline);
    return status;
}
