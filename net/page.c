#include "net/page.h"

#include "net/exposition.h"
#include "net/metric.h"
#include "net/process.h"

#include <dirent.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* ---- the process ---- */

static double cpu_seconds(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* The word of /proc/self/statm, in bytes. */
static double memory_bytes(unsigned word)
{
    char line[128] = "";
    FILE *file = fopen("/proc/self/statm", "re");
    if (!file)
        return 0;
    char *at = fgets(line, sizeof line, file);
    fclose(file);
    for (; at && word > 0; word--)
        at = strchr(at + 1, ' ');
    return at ? (double)strtoul(at, NULL, 10) * (double)sysconf(_SC_PAGESIZE) : 0;
}

static double virtual_bytes(void)
{
    return memory_bytes(0);
}

static double resident_bytes(void)
{
    return memory_bytes(1);
}

static time_t started_s;
__attribute__((constructor)) static void remember_start(void)
{
    started_s = time(NULL);
}

static double start_seconds(void)
{
    return (double)started_s;
}

static double count_files(void)
{
    double count = 0;
    DIR *folder = opendir("/proc/self/fd");
    while (folder && readdir(folder))
        count++;
    if (folder)
        closedir(folder);
    return count > 3 ? count - 3 : 0; /* itself, "." and ".." */
}

/* Newer kernels say how many there are without being asked for each. */
static double files_open(void)
{
    struct stat folder;
    bool is_told = stat("/proc/self/fd", &folder) == 0 && folder.st_size > 0;
    return is_told ? (double)folder.st_size : count_files();
}

static double files_max(void)
{
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    return (double)files.rlim_cur;
}

struct process_row {
    enum enc_figure_kind kind;
    const char *name;
    const char *help;
    double (*value)(void);
};
static const struct process_row PROCESS[] = {
    {ENC_FIGURE_COUNTER, "process_cpu_seconds", "Processor time used, user and system.",
     cpu_seconds},
    {ENC_FIGURE_GAUGE, "process_resident_memory_bytes", "Memory in use.", resident_bytes},
    {ENC_FIGURE_GAUGE, "process_virtual_memory_bytes", "Address space, the store's map included.",
     virtual_bytes},
    {ENC_FIGURE_GAUGE, "process_start_time_seconds", "Start of the process, Unix time.",
     start_seconds},
    {ENC_FIGURE_GAUGE, "process_open_fds", "Open files.", files_open},
    {ENC_FIGURE_GAUGE, "process_max_fds", "Limit of open files.", files_max},
};

static void expose_process(const struct enc_exposition *page)
{
    for (size_t i = 0; i < sizeof PROCESS / sizeof *PROCESS; i++) {
        enc_expose_head(page, PROCESS[i].kind, PROCESS[i].name, PROCESS[i].help);
        enc_expose_sample(page, PROCESS[i].kind, PROCESS[i].name, "", PROCESS[i].value());
    }
}

static void expose_build(const struct enc_exposition *page)
{
    enc_expose_info(page, "enclaved_build",
                    "version=\"" ENC_VERSION "\",compiler=\"" __VERSION__ "\"",
                    "What this program is.");
}

/* ---- levels and counts of the services ---- */

struct host_row {
    enum enc_figure_kind kind;
    const char *name;
    const char *labels;
    size_t offset;    /* in struct enc_host_counts */
    const char *help; /* NULL: goes on with the family before */
};
#define ENC_HOST_ROW(kind, name, labels, member, help)                                             \
    {                                                                                              \
        ENC_FIGURE_##kind, name, labels, offsetof(struct enc_host_counts, member), help            \
    }
static const struct host_row HOST_ROWS[] = {
    ENC_HOST_ROW(COUNTER, "enclaved_push_gaps", "result=\"closed\"", gaps_closed,
                 "Gaps in the pushes of other nodes, closed by Pull or given up."),
    ENC_HOST_ROW(COUNTER, "enclaved_push_gaps", "result=\"given_up\"", gaps_given_up, NULL),
    ENC_HOST_ROW(GAUGE, "enclaved_push_in_flight", "", push_in_flight,
                 "Places for an outbound POST that are taken."),
    ENC_HOST_ROW(COUNTER, "enclaved_busy_refusals", "of=\"mailbox\"", mails_refused,
                 "Requests refused with 503 because too many wait."),
    ENC_HOST_ROW(COUNTER, "enclaved_busy_refusals", "of=\"jobs\"", jobs_refused, NULL),
    ENC_HOST_ROW(COUNTER, "enclaved_busy_refusals", "of=\"answer_time\"", shed_refusals, NULL),
    ENC_HOST_ROW(GAUGE, "enclaved_mails_waiting", "", mails_waiting,
                 "Mails in the mailboxes of enclaves."),
    ENC_HOST_ROW(COUNTER, "enclaved_worker_jobs", "", jobs, "Stateless jobs that workers took."),
    ENC_HOST_ROW(GAUGE, "enclaved_worker_jobs_waiting", "", jobs_waiting,
                 "Stateless jobs that wait for a worker."),
    ENC_HOST_ROW(COUNTER, "enclaved_worker_turns", "", turns,
                 "Turns of enclaves that workers took."),
    ENC_HOST_ROW(GAUGE, "enclaved_worker_turns_waiting", "", turns_waiting,
                 "Turns of enclaves that wait for a worker."),
    ENC_HOST_ROW(GAUGE, "enclaved_message_bytes", "", exchange_len,
                 "Memory of all requests at work."),
    ENC_HOST_ROW(GAUGE, "enclaved_enclaves_live", "", live_enclaves, "Enclaves in memory."),
    ENC_HOST_ROW(GAUGE, "enclaved_timers", "", timers, "Timers that are set."),
    ENC_HOST_ROW(COUNTER, "enclaved_timers_put_off", "", timers_put_off,
                 "Stored alarms left in the store because others are due before them."),
    ENC_HOST_ROW(COUNTER, "enclaved_alarms_read", "", alarms_read,
                 "Stored alarms, each time they are read."),
    ENC_HOST_ROW(COUNTER, "enclaved_alarm_read_failures", "", alarm_faults,
                 "Readings of stored alarms that failed and are tried again."),
    ENC_HOST_ROW(COUNTER, "enclaved_timer_refusals", "", timer_refusals,
                 "Timers that found no room and wait for a later run."),
};

/* These stand among net's own refusals. */
static void copy_refusals(const struct enc_host *host)
{
    struct enc_host_counts counts;
    enc_host_counts(host, &counts);
    enc_metric_set(ENC_METRIC_RATE_KEY, (int64_t)counts.key_refusals);
    enc_metric_set(ENC_METRIC_RATE_ENCLAVE, (int64_t)counts.enclave_refusals);
}

static void expose_host(const struct enc_exposition *page, const struct enc_host *host)
{
    struct enc_host_counts counts;
    enc_host_counts(host, &counts);
    for (size_t i = 0; i < sizeof HOST_ROWS / sizeof *HOST_ROWS; i++) {
        const struct host_row *row = &HOST_ROWS[i];
        uint64_t value;
        memcpy(&value, (const char *)&counts + row->offset, sizeof value);
        if (row->help)
            enc_expose_head(page, row->kind, row->name, row->help);
        enc_expose_sample(page, row->kind, row->name, row->labels, (double)value);
    }
}

/* ---- the store ---- */

struct store_row {
    enum enc_figure_kind kind;
    const char *name;
    double (*value)(const struct enc_host_store *store);
    const char *help;
};

static double map_bytes(const struct enc_host_store *store)
{
    return (double)store->map_len;
}

static double used_bytes(const struct enc_host_store *store)
{
    return (double)store->used_len;
}

static double file_bytes(const struct enc_host_store *store)
{
    return (double)store->file_len;
}

static double map_pages(const struct enc_host_store *store)
{
    uint64_t count = store->map_len / store->page_len;
    return (double)count;
}

static double used_pages(const struct enc_host_store *store)
{
    uint64_t count = store->used_len / store->page_len;
    return (double)count;
}

static double readers(const struct enc_host_store *store)
{
    return store->reader_count;
}

static double readers_max(const struct enc_host_store *store)
{
    return store->reader_max;
}

static const struct store_row STORE_ROWS[] = {
    {ENC_FIGURE_GAUGE, "enclaved_store_map_bytes", map_bytes, "What a shard may grow to."},
    {ENC_FIGURE_GAUGE, "enclaved_store_used_bytes", used_bytes,
     "Bytes of a shard's pages, free ones among them."},
    {ENC_FIGURE_GAUGE, "enclaved_store_file_bytes", file_bytes,
     "Length of a shard's file, which has room behind its pages."},
    {ENC_FIGURE_GAUGE, "enclaved_store_map_pages", map_pages, "Pages a shard may have."},
    {ENC_FIGURE_GAUGE, "enclaved_store_used_pages", used_pages, "Pages a shard has ever used."},
    {ENC_FIGURE_GAUGE, "enclaved_store_readers", readers, "Snapshots of a shard that are open."},
    {ENC_FIGURE_GAUGE, "enclaved_store_readers_max", readers_max,
     "Snapshots of a shard that may be open."},
};

struct shard {
    struct enc_host_store counts;
    bool is_read;
};

static void expose_store_row(const struct enc_exposition *page, const struct store_row *row,
                             const struct shard *shards, uint32_t count)
{
    char labels[32];
    enc_expose_head(page, row->kind, row->name, row->help);
    for (uint32_t i = 0; i < count; i++) {
        if (!shards[i].is_read)
            continue;
        snprintf(labels, sizeof labels, "shard=\"%u\"", i);
        enc_expose_sample(page, row->kind, row->name, labels, row->value(&shards[i].counts));
    }
}

/* A shard without a free reader is left out: a scrape must not wait. */
static void expose_store(const struct enc_exposition *page, const struct enc_host *host)
{
    uint32_t count = enc_host_shard_count(host);
    struct shard *shards = enc_net_new(count * sizeof *shards);
    for (uint32_t i = 0; i < count; i++)
        shards[i].is_read = enc_host_store_counts(host, &shards[i].counts, i);
    for (size_t i = 0; i < sizeof STORE_ROWS / sizeof *STORE_ROWS; i++)
        expose_store_row(page, &STORE_ROWS[i], shards, count);
    free(shards);
}

char *enc_page_metrics(size_t *len, const struct enc_server *server, bool is_open_metrics)
{
    char *text = NULL;
    uint64_t began_ns = enc_process_now_ns();
    struct enc_exposition page = {open_memstream(&text, len), is_open_metrics};
    if (!page.out)
        return NULL;
    copy_refusals(server->host);
    enc_expose_ledger(&page, enc_metric_ledger());
    enc_expose_ledger(&page, enc_host_ledger(server->host));
    expose_host(&page, server->host);
    expose_store(&page, server->host);
    expose_process(&page);
    expose_build(&page);
    enc_expose_end(&page);
    fclose(page.out);
    enc_metric_observe(ENC_METRIC_SCRAPE, enc_process_now_ns() - began_ns);
    return text;
}
