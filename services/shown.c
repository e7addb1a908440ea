#include "services/shown.h"

#include "proto/record.h"

#include <stdlib.h>

static enum enc_err load_target(struct enc_shown *out, const struct enc_viewer *viewer,
                                struct enc_arena *scratch)
{
    uint8_t id32[32];
    struct enc_bytes record;
    struct enc_event_place place = {.ord = viewer->ord};
    enum enc_type type = enc_type_of(out->event.commit.type);
    if (enc_type_row(type)->family != ENC_FAMILY_CHANGE ||
        !enc_commit_target(&out->event.commit, id32))
        return ENC_ERR_OK;
    ENC_TRY(enc_snap_seq_by_id(viewer->snap, &place.seq, viewer->ord, id32));
    ENC_TRY(enc_snap_event(viewer->snap, &record, place));
    ENC_TRY(enc_record_take(&out->target, scratch, record));
    out->has_target = true;
    return ENC_ERR_OK;
}

static enum enc_err load_status(struct enc_status_row *row, const struct enc_viewer *viewer,
                                uint64_t seq)
{
    struct enc_event_place place = {.ord = viewer->ord, .seq = seq};
    ENC_TRY(enc_snap_status(viewer->snap, row, place));
    return row->status < ENC_EVENT_STATUS_COUNT ? ENC_ERR_OK : ENC_ERR_INTERNAL;
}

static enum enc_err load_element(struct enc_shown *out, const struct enc_viewer *viewer)
{
    struct enc_status_row row;
    struct enc_status_row target = {.status = ENC_EVENT_ACTIVE};
    ENC_TRY(load_status(&row, viewer, out->event.seq));
    if (out->has_target)
        ENC_TRY(load_status(&target, viewer, out->target.seq));
    out->element.event = &out->event;
    out->element.status = (enum enc_event_status)row.status;
    memcpy(out->element.by32, row.by32, 32);
    bool is_update = enc_type_of(out->event.commit.type) == ENC_TYPE_UPDATE;
    out->element.hides_content =
        row.status == ENC_EVENT_DELETED || (is_update && target.status == ENC_EVENT_DELETED);
    return ENC_ERR_OK;
}

static bool is_readable(const struct enc_shown *shown, const struct enc_viewer *viewer)
{
    struct enc_sight sight =
        enc_sight_of(&shown->event.commit, shown->has_target ? &shown->target.commit : NULL);
    return enc_rbac_can_read(viewer->manifest, viewer->roles, viewer->reader, &sight);
}

enum enc_err enc_shown_load(struct enc_shown *out, const struct enc_viewer *viewer,
                            struct enc_bytes record)
{
    struct enc_arena scratch;
    enc_arena_init_fixed(&scratch, out->scratch, sizeof out->scratch);
    out->has_target = false;
    ENC_TRY(enc_record_take(&out->event, &scratch, record));
    ENC_TRY(load_target(out, viewer, &scratch));
    ENC_TRY(load_element(out, viewer));
    out->is_readable = is_readable(out, viewer);
    return ENC_ERR_OK;
}

enum enc_err enc_shown_at(struct enc_shown *out, const struct enc_viewer *viewer, uint64_t seq)
{
    struct enc_bytes record;
    struct enc_event_place place = {.ord = viewer->ord, .seq = seq};
    ENC_TRY(enc_snap_event(viewer->snap, &record, place));
    return enc_shown_load(out, viewer, record);
}

/* ---- the walk ---- */

struct walk {
    const struct enc_viewer *viewer;
    const struct enc_filter *filter;
    enc_shown_fn *fn;
    void *opaque;
    bool is_over;
    struct enc_shown *shown; /* apart: too large to be zeroed with the rest */
};

static enum enc_err offer(struct walk *walk, struct enc_bytes record)
{
    ENC_TRY(enc_shown_load(walk->shown, walk->viewer, record));
    const struct enc_shown *shown = walk->shown;
    if (shown->is_readable &&
        enc_filter_matches(walk->filter, &shown->event, shown->element.status))
        walk->is_over = !walk->fn(walk->opaque, shown);
    return ENC_ERR_OK;
}

static enum enc_err offer_seq(struct walk *walk, uint64_t seq)
{
    struct enc_bytes record;
    struct enc_event_place place = {.ord = walk->viewer->ord, .seq = seq};
    ENC_TRY(enc_snap_event(walk->viewer->snap, &record, place));
    return offer(walk, record);
}

static struct enc_range range_of(const struct enc_filter *filter)
{
    return (struct enc_range){
        .first = filter->seq.first, .last = filter->seq.last, .reverse = filter->reverse};
}

static enum enc_err walk_log(struct walk *walk)
{
    struct enc_scan scan;
    struct enc_event_found found;
    enum enc_err err = ENC_ERR_OK;
    enc_scan_events(&scan, walk->viewer->snap, walk->viewer->ord, range_of(walk->filter));
    while (err == ENC_ERR_OK && !walk->is_over && enc_scan_event(&scan, &found))
        err = offer(walk, found.record);
    enum enc_err end = enc_scan_fini(&scan);
    return err != ENC_ERR_OK ? err : end;
}

static enum enc_err walk_type(struct walk *walk, struct enc_bytes type)
{
    struct enc_scan scan;
    struct enc_typed_found found;
    enum enc_err err = ENC_ERR_OK;
    enc_scan_type(&scan, walk->viewer->snap, walk->viewer->ord, type, range_of(walk->filter));
    while (err == ENC_ERR_OK && !walk->is_over && enc_scan_typed(&scan, &found))
        err = offer_seq(walk, found.seq);
    enum enc_err end = enc_scan_fini(&scan);
    return err != ENC_ERR_OK ? err : end;
}

static int ascending(const void *a, const void *b)
{
    const uint64_t *x = (const uint64_t *)a;
    const uint64_t *y = (const uint64_t *)b;
    return *x < *y ? -1 : *x > *y;
}

static enum enc_err find_seqs(const struct walk *walk, uint64_t *seqs, size_t *count)
{
    *count = 0;
    for (size_t i = 0; i < walk->filter->ids.count; i++) {
        enum enc_err err = enc_snap_seq_by_id(walk->viewer->snap, &seqs[*count], walk->viewer->ord,
                                              walk->filter->ids.items32[i]);
        if (err == ENC_ERR_OK)
            ++*count;
        else if (err != ENC_ERR_EVENT_NOT_FOUND)
            return err;
    }
    return ENC_ERR_OK;
}

static enum enc_err walk_ids(struct walk *walk, struct enc_arena *arena)
{
    size_t count = 0;
    uint64_t *seqs = ENC_ARENA_NEW(arena, uint64_t, walk->filter->ids.count);
    if (!seqs)
        return ENC_ERR_TOO_LARGE;
    ENC_TRY(find_seqs(walk, seqs, &count));
    qsort(seqs, count, sizeof *seqs, ascending);
    for (size_t i = 0; i < count && !walk->is_over; i++)
        ENC_TRY(offer_seq(walk, seqs[walk->filter->reverse ? count - 1 - i : i]));
    return ENC_ERR_OK;
}

enum enc_err enc_shown_walk(const struct enc_viewer *viewer, const struct enc_filter *filter,
                            struct enc_arena *arena, enc_shown_fn *fn, void *opaque)
{
    struct enc_shown shown;
    struct walk walk = {
        .viewer = viewer, .filter = filter, .fn = fn, .opaque = opaque, .shown = &shown};
    const struct enc_bytes *type = enc_filter_single_type(filter);
    if (enc_filter_is_void(filter))
        return ENC_ERR_OK;
    if (filter->ids.is_set)
        return walk_ids(&walk, arena);
    return type ? walk_type(&walk, *type) : walk_log(&walk);
}
