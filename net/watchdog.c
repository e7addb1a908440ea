#include "net/watchdog.h"

#include "net/log.h"
#include "net/loop.h"
#include "net/metric.h"

#include <stdio.h>
#include <stdlib.h>

struct entry {
    char name[24];
    uint64_t beats;
    uint64_t since_ms;
    atomic_bool is_stuck;
};

struct enc_watchdog {
    size_t count;
    _Atomic size_t known; /* entries with a name */
    struct entry entries[];
};

struct enc_watchdog *enc_watchdog_new(size_t count)
{
    struct enc_watchdog *watchdog =
        enc_net_new(sizeof *watchdog + count * sizeof *watchdog->entries);
    watchdog->count = count;
    return watchdog;
}

void enc_watchdog_free(struct enc_watchdog *watchdog)
{
    free(watchdog);
}

static void meet(struct enc_watchdog *watchdog, const struct enc_thread_pulse *pulses,
                 uint64_t now_ms)
{
    for (size_t i = 0; i < watchdog->count; i++) {
        struct entry *entry = &watchdog->entries[i];
        snprintf(entry->name, sizeof entry->name, "%s %u", pulses[i].what, pulses[i].index);
        entry->beats = pulses[i].beats;
        entry->since_ms = now_ms;
    }
    /* release: the names, for whoever sees the count */
    atomic_store_explicit(&watchdog->known, watchdog->count, memory_order_release);
}

static void tell(struct entry *entry, bool is_stuck, uint64_t for_ms)
{
    /* relaxed: the flag is all there is to see */
    if (atomic_exchange_explicit(&entry->is_stuck, is_stuck, memory_order_relaxed) == is_stuck)
        return;
    enc_metric_add(ENC_METRIC_THREADS_STUCK, is_stuck ? 1 : -1);
    if (is_stuck) {
        enc_metric_add(ENC_METRIC_STALLS, 1);
        enc_log(THREAD_STUCK, enc_log_text("thread", entry->name),
                enc_log_number("for_ms", for_ms));
    } else {
        enc_log(THREAD_RECOVERED, enc_log_text("thread", entry->name));
    }
}

static void look_at(struct entry *entry, uint64_t beats, uint64_t now_ms, uint64_t limit_ms)
{
    bool is_same = enc_pulse_is_same_work(entry->beats, beats);
    entry->beats = beats;
    if (!is_same)
        entry->since_ms = now_ms;
    uint64_t for_ms = now_ms - entry->since_ms;
    tell(entry, is_same && for_ms >= limit_ms, for_ms);
}

void enc_watchdog_look(struct enc_watchdog *watchdog, const struct enc_thread_pulse *pulses,
                       uint64_t now_ms, uint64_t limit_ms)
{
    /* relaxed: this thread wrote it */
    if (atomic_load_explicit(&watchdog->known, memory_order_relaxed) == 0)
        meet(watchdog, pulses, now_ms);
    for (size_t i = 0; i < watchdog->count; i++)
        look_at(&watchdog->entries[i], pulses[i].beats, now_ms, limit_ms);
}

static size_t append(char *out, size_t len, size_t used, const char *name)
{
    int more = snprintf(out + used, len - used, "%s\"%s\"", out[used - 1] == '[' ? "" : ",", name);
    return more > 0 && used + (size_t)more + sizeof "]}" <= len ? used + (size_t)more : used;
}

bool enc_watchdog_json(const struct enc_watchdog *watchdog, char *out, size_t len)
{
    /* acquire: pairs with meet */
    size_t known = atomic_load_explicit(&watchdog->known, memory_order_acquire);
    size_t begin = (size_t)snprintf(out, len, "{\"status\":\"stuck\",\"threads\":[");
    size_t used = begin;
    for (size_t i = 0; i < known; i++)
        if (atomic_load_explicit(&watchdog->entries[i].is_stuck, memory_order_relaxed))
            used = append(out, len, used, watchdog->entries[i].name);
    if (used == begin)
        snprintf(out, len, "{\"status\":\"ok\"}");
    else
        snprintf(out + used, len - used, "]}");
    return used == begin;
}
