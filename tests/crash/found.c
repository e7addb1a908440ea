#include "tests/crash/found.h"

#include "net/key.h"
#include "net/process.h"
#include "proto/cbor.h"
#include "proto/record.h"
#include "services/check.h"
#include "services/fold.h"
#include "services/host.h"
#include "services/push.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { MEMORY_MAX = 1 << 30, PATH_LEN_MAX = 4096, LEVELS = 64 };

struct search {
    struct said *said;
    struct fault *fault;
    struct enc_curve *curve;
    struct enc_arena arena;
    struct enc_data *data;
    struct enc_data *scratch;
    uint8_t node_pub32[32];
    uint64_t ord;
};

static struct enc_chunk *take(void *self, size_t len)
{
    size_t want = len > 1 << 16 ? len : 1 << 16;
    struct enc_chunk *chunk = (struct enc_chunk *)malloc(want);
    (void)self;
    if (chunk)
        chunk->len = want;
    return chunk;
}

static void give(void *self, struct enc_chunk *list)
{
    (void)self;
    while (list) {
        struct enc_chunk *next = list->next;
        free(list);
        list = next;
    }
}

static const struct enc_range ALL = {.first = 0, .last = UINT64_MAX};
static const struct enc_chunk_source CHUNKS = {.take = take, .give = give};

static bool wrong(const struct search *search, const char *what, const char *detail)
{
    if (!search->fault->text[0])
        snprintf(search->fault->text, sizeof search->fault->text, "%s: %.400s", what,
                 detail ? detail : "no more is known");
    return false;
}

/* ---- opening ---- */

static bool open_data(struct enc_data **out, struct search *search, const char *dir,
                      uint32_t shards)
{
    struct enc_store_note note;
    struct enc_data_config config = {
        .dir = dir, .node_pub32 = search->node_pub32, .shard_count = shards, .map_len = 1 << 30};
    return enc_data_open(out, &note, &config) == ENC_STORE_FAULT_NONE ||
           wrong(search, "the store does not open", note.text);
}

static void see_page(void *opaque, const struct enc_page_flaw *flaw)
{
    const struct search *search = (const struct search *)opaque;
    char text[256];
    snprintf(text, sizeof text, "page %llu of shard %u, table %s, %s",
             (unsigned long long)flaw->page, flaw->shard, flaw->tree, flaw->what);
    wrong(search, "the pages are not sound", text);
}

/* Pages are looked at before the engine has mended anything. */
static bool check_pages(struct search *search, const char *dir)
{
    char path[PATH_LEN_MAX];
    uint64_t flaws = 0;
    struct enc_store_note note;
    snprintf(path, sizeof path, "%s/version", dir);
    if (access(path, F_OK) != 0)
        return true;
    if (enc_data_check_pages(&note, &flaws, dir, see_page, search) != ENC_STORE_FAULT_NONE)
        return wrong(search, "the pages cannot be read", note.text);
    return flaws == 0;
}

/* In the order of the daemon's start. */
static bool open_all(struct search *search, const struct place *place)
{
    char path[PATH_LEN_MAX];
    uint8_t priv32[32];
    struct enc_key key;
    struct enc_key_fault fault;
    struct enc_store_note note;
    if (enc_data_make_dir(place->dir, &note) != ENC_STORE_FAULT_NONE)
        return wrong(search, "there is no directory", note.text);
    snprintf(path, sizeof path, "%s/node.key", place->dir);
    if (!enc_key_load(priv32, &fault, path))
        return wrong(search, "there is no key", fault.text);
    if (!enc_key_init(&key, search->curve, priv32))
        return wrong(search, "the key is none", NULL);
    memcpy(search->node_pub32, key.pub32, 32);
    return check_pages(search, place->dir) &&
           open_data(&search->data, search, place->dir, place->shards) &&
           open_data(&search->scratch, search, place->scratch, 1);
}

/* ---- what it can answer for ---- */

static bool see_event(struct search *search, struct enc_bytes record)
{
    struct enc_event event;
    struct enc_buffer text;
    if (enc_record_take(&event, &search->arena, record) != ENC_ERR_OK)
        return wrong(search, "a record cannot be read", NULL);
    enc_buffer_init(&text, &search->arena, 4096);
    enc_receipt_put_json(&text, &event);
    said_add(search->said, SAID_RECEIPT, enc_bytes_of(text.data, text.len));
    return true;
}

static bool see_events(struct search *search, struct enc_snap *snap)
{
    struct enc_scan scan;
    struct enc_event_found found;
    bool is_good = true;
    enc_scan_events(&scan, snap, search->ord, ALL);
    while (is_good && enc_scan_event(&scan, &found))
        is_good = see_event(search, found.record);
    return enc_scan_fini(&scan) == ENC_ERR_OK && is_good;
}

/* Roots of every size, by RFC 9162's definition with the complete subtrees on a stack. */
static void root_of(uint8_t out32[32], uint8_t stack[LEVELS][32], size_t depth)
{
    memcpy(out32, stack[depth - 1], 32);
    for (size_t i = depth - 1; i-- > 0;)
        enc_h_pair(out32, 0x01, stack[i], out32);
}

static bool see_heads(struct search *search, struct enc_snap *snap)
{
    uint8_t stack[LEVELS][32];
    uint8_t root32[32];
    size_t depth = 0;
    struct enc_ct_leaf_row leaf;
    uint64_t count = 0;
    while (enc_snap_ct_leaf(snap, &leaf, search->ord, count) == ENC_ERR_OK) {
        enc_h_pair(stack[depth++], 0x00, leaf.events_root32, leaf.state_hash32);
        count++;
        for (uint64_t rest = count; rest % 2 == 0; rest /= 2, depth--)
            enc_h_pair(stack[depth - 2], 0x01, stack[depth - 2], stack[depth - 1]);
        root_of(root32, stack, depth);
        said_add_head(search->said, count, root32);
    }
    return true;
}

static bool see_queue(struct search *search, struct enc_snap *snap,
                      const struct enc_endpoint_found *endpoint, const uint8_t enclave32[32])
{
    uint8_t queue16[16];
    struct enc_scan scan;
    struct enc_delivered_row row;
    enc_push_queue_key(queue16, enclave32, endpoint->identity32, endpoint->url);
    const struct enc_queue_key queue = {.ord = search->ord, .queue16 = queue16};
    enc_scan_delivereds(&scan, snap, &queue, ALL);
    while (enc_scan_delivered(&scan, &row)) {
        struct enc_bytes text = enc_arena_copy(&search->arena, row.payload);
        said_add(search->said, SAID_PUSH, text);
    }
    return enc_scan_fini(&scan) == ENC_ERR_OK;
}

/* ---- one enclave ---- */

static bool check_enclave(struct search *search, struct enc_snap *snap)
{
    struct enc_check_report report;
    struct enc_check_config config = {.curve = search->curve,
                                      .chunks = &CHUNKS,
                                      .memory_max = MEMORY_MAX,
                                      .node_pub32 = search->node_pub32};
    if (enc_enclave_check(&report, snap, search->ord, &config) != ENC_ERR_OK)
        return wrong(search, "an enclave cannot be read", NULL);
    return !report.flaw || wrong(search, "an enclave is not sound", report.flaw);
}

static bool check_view(struct search *search, struct enc_snap *snap, const uint8_t enclave32[32],
                       const struct enc_dataview *view)
{
    struct enc_fold_report report;
    uint8_t stored32[32], folded32[32];
    uint64_t stored, folded;
    struct enc_snap *again = NULL;
    struct enc_store *scratch = enc_data_shard_at(search->scratch, 0);
    struct enc_fold_config config = {.curve = search->curve,
                                     .chunks = &CHUNKS,
                                     .view = view,
                                     .own32 = enclave32,
                                     .ord = search->ord};
    bool is_done = enc_fold_drop(scratch, &config) == ENC_ERR_OK &&
                   enc_fold_into(scratch, &report, snap, &config) == ENC_ERR_OK &&
                   enc_snap_open(scratch, &again) == ENC_ERR_OK &&
                   enc_fold_digest(folded32, &folded, again, search->ord) == ENC_ERR_OK &&
                   enc_fold_digest(stored32, &stored, snap, search->ord) == ENC_ERR_OK;
    enc_snap_close(again);
    if (!is_done)
        return wrong(search, "a DataView cannot be folded", NULL);
    return (stored == folded && memcmp(stored32, folded32, 32) == 0) ||
           wrong(search, "a DataView is not what the log makes of it", NULL);
}

static bool see_queues(struct search *search, struct enc_snap *snap, const uint8_t enclave32[32])
{
    struct enc_scan scan;
    struct enc_endpoint_found endpoint;
    bool is_good = true;
    enc_scan_endpoints(&scan, snap, search->ord, NULL);
    while (is_good && enc_scan_endpoint(&scan, &endpoint))
        is_good = see_queue(search, snap, &endpoint, enclave32);
    return enc_scan_fini(&scan) == ENC_ERR_OK && is_good;
}

static bool see_enclave(struct search *search, struct enc_snap *snap, const uint8_t enclave32[32])
{
    struct enc_enclave_row row;
    if (enc_snap_enclave(snap, &row, enclave32) != ENC_ERR_OK)
        return wrong(search, "an enclave has no row", NULL);
    search->ord = row.ord;
    const struct enc_dataview *view = enc_service_at(row.service)->view;
    return check_enclave(search, snap) && see_events(search, snap) && see_heads(search, snap) &&
           see_queues(search, snap, enclave32) &&
           (!view || check_view(search, snap, enclave32, view));
}

/* ---- all of it ---- */

static void see_flaw(void *opaque, const struct enc_store_flaw *flaw)
{
    const struct search *search = (const struct search *)opaque;
    char text[256];
    snprintf(text, sizeof text, "a row of %s %s", enc_table_row(flaw->table)->name, flaw->what);
    wrong(search, "the store is not sound", text);
}

static bool see_shard(struct search *search, struct enc_store *store)
{
    struct enc_scan scan;
    struct enc_snap *snap = NULL;
    struct enc_enclave_found found;
    uint64_t flaws = 0;
    if (enc_snap_open(store, &snap) != ENC_ERR_OK ||
        enc_store_verify(snap, &flaws, see_flaw, search) != ENC_ERR_OK)
        return wrong(search, "the store cannot be read", NULL);
    bool is_good = flaws == 0;
    enc_scan_enclaves(&scan, snap, ALL);
    while (is_good && enc_scan_enclave(&scan, &found))
        is_good = see_enclave(search, snap, found.enclave32);
    return enc_scan_fini(&scan) == ENC_ERR_OK && is_good;
}

bool found_in(struct said *said, struct fault *fault, const struct place *place)
{
    uint8_t seed32[32] = {1};
    struct search search = {.said = said, .fault = fault};
    enc_arena_init(&search.arena, &CHUNKS, MEMORY_MAX);
    search.curve = enc_curve_init(aligned_alloc(16, (enc_curve_size() + 15) & ~(size_t)15), seed32);
    if (!open_all(&search, place))
        return false;
    for (uint32_t i = 0; i < enc_data_shard_count(search.data); i++)
        if (!see_shard(&search, enc_data_shard_at(search.data, i)))
            return false;
    said_seal(said);
    return true;
}
