#include "services/alarms.h"

#include "services/exchange.h"
#include "services/push.h"

enum {
    SLICE = 256, /* rows of one snapshot */
    KEPT_KINDS = 1 << ENC_TIMER_BUNDLE | 1 << ENC_TIMER_PUSH,
    AHEAD_MS = 60000,
    PAUSE_MS = 1000,
};

static void begin(struct enc_scan *scan, struct enc_snap *snap, const struct enc_alarm_walk *walk)
{
    if (walk->is_inside)
        enc_scan_alarms_after(scan, snap, walk->last.enclave32, walk->last.kind);
    else
        enc_scan_alarms(scan, snap);
}

/* A delivery that waits longer than any pause is one from before the clock was set back. */
static uint64_t due_of(const struct enc_host *host, const struct enc_alarm_row *row)
{
    uint64_t last_ms = enc_host_now_ms(host) + ENC_PUSH_RETRY_MAX_MS;
    return row->kind == ENC_TIMER_PUSH && row->due_ms > last_ms ? last_ms : row->due_ms;
}

/* One that nobody knows is the offline check's to report. */
static void offer(struct enc_host *host, const struct enc_alarm_found *found)
{
    struct enc_alarm_place *last = &host->alarms.last;
    memcpy(last->enclave32, found->enclave32, sizeof last->enclave32);
    last->kind = found->row.kind;
    host->alarms.is_inside = true;
    if (found->row.kind < 32 && (KEPT_KINDS >> found->row.kind & 1))
        enc_timer_offer(host->timers, found->enclave32, found->row.kind, due_of(host, &found->row));
}

static enum enc_err read_slice(struct enc_host *host, uint32_t *count)
{
    struct enc_snap *snap = NULL;
    struct enc_scan scan;
    struct enc_alarm_found found;
    ENC_TRY(enc_snap_open(enc_data_shard_at(host->data, host->alarms.shard), &snap));
    begin(&scan, snap, &host->alarms);
    for (; *count < SLICE && enc_scan_alarm(&scan, &found); (*count)++)
        offer(host, &found);
    enum enc_err err = enc_scan_fini(&scan);
    enc_snap_close(snap);
    return err;
}

static enum enc_refill refill(void *self, bool is_first)
{
    struct enc_host *host = (struct enc_host *)self;
    struct enc_alarm_walk *walk = &host->alarms;
    uint32_t count = 0;
    if (is_first)
        *walk = (struct enc_alarm_walk){.shard = 0};
    enum enc_err err = read_slice(host, &count);
    /* relaxed: figures for people, nothing hangs on their order */
    atomic_fetch_add_explicit(&host->alarms_read, count, memory_order_relaxed);
    if (err != ENC_ERR_OK) {
        atomic_fetch_add_explicit(&host->alarm_faults, 1, memory_order_relaxed);
        return ENC_REFILL_FAILED;
    }
    if (count < SLICE)
        *walk = (struct enc_alarm_walk){.shard = walk->shard + 1};
    return walk->shard < host->writer_count ? ENC_REFILL_MORE : ENC_REFILL_DONE;
}

void enc_alarms_keep(struct enc_timer_keeper *keeper, struct enc_host *host)
{
    *keeper = (struct enc_timer_keeper){
        .refill = refill,
        .self = host,
        .kinds = KEPT_KINDS,
        .ahead_ms = AHEAD_MS,
        .pause_ms = PAUSE_MS,
    };
}
