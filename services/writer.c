#include "services/count.h"
#include "services/inside.h"
#include "services/run.h"
#include "services/subscribers.h"

enum {
    SETS_MAX = 1024,
    ENDED_HERE_MAX = 64, /* commits of one transaction that are answered by the writer itself */
};

static struct enc_run *run_of(struct enc_link *link)
{
    return (struct enc_run *)link; /* link is its first member */
}

/* One bad set must not take its neighbours along: leave it out and apply the others. */
static enum enc_outcome apply_all(struct enc_store *store, struct enc_run **runs, size_t count,
                                  struct enc_apply_facts *facts)
{
    const struct enc_writeset *sets[SETS_MAX];
    for (size_t i = 0; i < count; i++)
        sets[i] = &runs[i]->set;
    return enc_store_apply(store, facts, sets, count);
}

static void finish(struct enc_run *run, enum enc_outcome outcome)
{
    run->outcome = outcome;
    ENC_RUN_ENDED(run);
    enc_actor_resume(run->actor);
}

/* Some microseconds a commit, and nothing else: neither subscribers nor pushes. */
static bool ends_soon(const struct enc_run *run, uint32_t commits_max)
{
    return run->count <= commits_max && enc_subs_is_empty(run->node->subs) && !run->node->pushes;
}

/* To end a short run costs less than to wake a worker for it, and its receipts leave together with
 * the others'. */
static void finish_all(struct enc_run **runs, size_t count, enum enc_outcome outcome)
{
    uint32_t left = ENDED_HERE_MAX;
    for (size_t i = 0; i < count; i++) {
        if (!ends_soon(runs[i], left)) {
            finish(runs[i], outcome);
            continue;
        }
        left -= runs[i]->count;
        runs[i]->outcome = outcome;
        ENC_RUN_ENDED(runs[i]);
        enc_actor_resume_here(runs[i]->actor);
    }
}

/* A set that broke a rule of its own says nothing about the disk. */
static void note(struct enc_host *host, enum enc_outcome outcome,
                 const struct enc_apply_facts *facts)
{
    bool is_fault = outcome != ENC_OUTCOME_OK && facts->culprit == SIZE_MAX;
    if (outcome != ENC_OUTCOME_OK && !is_fault)
        return;
    /* relaxed: what people are told; nothing hangs on the order of the two */
    atomic_store_explicit(&host->write_error, facts->engine_error, memory_order_relaxed);
    atomic_store_explicit(&host->write_fault_ms, is_fault ? enc_host_now_ms(host) : 0,
                          memory_order_relaxed);
}

static void count_waiting(const struct enc_host *host, struct enc_run *const *runs, size_t count,
                          uint64_t now_ns)
{
    uint64_t commits = 0;
    for (size_t i = 0; i < count; i++) {
        struct enc_lap lap = {ENC_STAGE_WRITER, (uintptr_t)runs[i], now_ns, runs[i]->marked_ns};
        enc_count_lap(host, &lap, now_ns);
        runs[i]->times.taken_ns = now_ns;
        commits += runs[i]->count;
    }
    enc_count_size(host, ENC_COUNTED_RUNS_OF_BATCH, count);
    enc_count_size(host, ENC_COUNTED_COMMITS_OF_BATCH, commits);
}

/* Returns when it was over. */
static uint64_t count_written(const struct enc_host *host, enum enc_outcome outcome,
                              const struct enc_apply_facts *facts, uint64_t since_ns)
{
    enc_count_transaction(host, outcome);
    if (outcome != ENC_OUTCOME_OK)
        return since_ns;
    enc_count_lap(host, &(struct enc_lap){ENC_STAGE_WRITE, since_ns, 0, since_ns},
                  facts->sync_began);
    return enc_count_stage(host, &(struct enc_lap){ENC_STAGE_SYNC, since_ns, 0, facts->sync_began});
}

/* 0: there was no sync. */
static void mark_ended(struct enc_run *const *runs, size_t count, uint64_t sync_began_ns,
                       uint64_t ended_ns)
{
    for (size_t i = 0; i < count; i++) {
        runs[i]->marked_ns = ended_ns;
        runs[i]->times.written_ns = sync_began_ns;
        runs[i]->times.durable_ns = sync_began_ns ? ended_ns : 0;
    }
}

static void write_batch(struct enc_host *host, struct enc_store *store, struct enc_run **runs,
                        size_t count)
{
    struct enc_apply_facts facts = {.culprit = SIZE_MAX};
    uint64_t began_ns = enc_host_now_ns(host);
    count_waiting(host, runs, count, began_ns);
    enum enc_outcome outcome = apply_all(store, runs, count, &facts);
    while (outcome == ENC_OUTCOME_FAILED && facts.culprit < count && count > 1) {
        finish(runs[facts.culprit], ENC_OUTCOME_FAILED);
        runs[facts.culprit] = runs[--count];
        outcome = apply_all(store, runs, count, &facts);
    }
    uint64_t ended_ns = count_written(host, outcome, &facts, began_ns);
    note(host, outcome, &facts);
    if (outcome == ENC_OUTCOME_FENCED || outcome == ENC_OUTCOME_IN_DOUBT)
        /* release: whoever sees the flag also sees which runs were answered before */
        atomic_store_explicit(&host->store_failed, true, memory_order_release);
    mark_ended(runs, count, outcome == ENC_OUTCOME_OK ? facts.sync_began : 0, ended_ns);
    finish_all(runs, count, outcome);
    if (outcome == ENC_OUTCOME_OK)
        enc_store_add_room(store);
}

/* No run may be touched once it is resumed, so the list is read before anything is finished. */
void enc_writer_work(void *self, struct enc_link *list, size_t count)
{
    struct enc_run *runs[SETS_MAX];
    struct enc_store *store = (struct enc_store *)self;
    (void)count;
    while (list) {
        size_t taken = 0;
        for (; list && taken < SETS_MAX; list = list->next)
            runs[taken++] = run_of(list);
        for (size_t i = 0; i < taken; i++)
            ENC_EDGE("run", runs[i], NULL, "take", "writing");
        write_batch(runs[0]->node->host, store, runs, taken);
    }
}
