#include "net/breaker.h"

#include "proto/base/edge.h"

#include <stdlib.h>
#include <strings.h>

enum { HOST_LEN_MAX = 264 };
enum state { CLOSED, OPEN, HALF_OPEN };

struct row {
    size_t len; /* 0: free */
    char host[HOST_LEN_MAX];
    enum state state;
    uint32_t failures;
    uint64_t until_ms; /* OPEN: nobody is admitted before */
};

struct enc_breaker {
    uint32_t failures;
    uint64_t cooldown_ms;
    struct row rows[ENC_BREAKER_HOSTS_MAX];
};

struct enc_breaker *enc_breaker_new(uint32_t failures, uint64_t cooldown_ms)
{
    struct enc_breaker *breaker = calloc(1, sizeof *breaker);
    ENC_CHECK(breaker != NULL);
    breaker->failures = failures;
    breaker->cooldown_ms = cooldown_ms;
    return breaker;
}

void enc_breaker_free(struct enc_breaker *breaker)
{
    free(breaker);
}

/* HOST[:PORT] of a URL, cut off where it is longer than any name. */
static struct enc_bytes host_of(struct enc_bytes url)
{
    static const char MARK[] = "://";
    const uint8_t *mark = memmem(url.data, url.len, MARK, sizeof MARK - 1);
    size_t begin = mark ? (size_t)(mark - url.data) + sizeof MARK - 1 : 0;
    size_t len = 0;
    while (begin + len < url.len && len < HOST_LEN_MAX && !strchr("/?#", url.data[begin + len]))
        len++;
    return enc_bytes_of(url.data + begin, len);
}

static struct row *find(struct enc_breaker *breaker, struct enc_bytes host)
{
    for (struct row *row = breaker->rows; row < breaker->rows + ENC_BREAKER_HOSTS_MAX; row++) {
        if (row->len == host.len && host.len &&
            strncasecmp(row->host, (const char *)host.data, host.len) == 0)
            return row;
    }
    return NULL;
}

/* For tests: a host as the models call it. */
static const char *name_of(const struct row *row)
{
    static const char *const NAMES[] = {"closed", "open", "half_open"};
    return row ? NAMES[row->state] : "closed";
}

/* A free row, or the one of those that are closed which failed least; NULL when all are open. */
static struct row *obtain(struct enc_breaker *breaker, struct enc_bytes host)
{
    struct row *least = NULL;
    for (struct row *row = breaker->rows; row < breaker->rows + ENC_BREAKER_HOSTS_MAX; row++) {
        if (row->state == CLOSED && (!least || row->failures < least->failures))
            least = row;
    }
    if (!least)
        return NULL;
    *least = (struct row){.len = host.len};
    memcpy(least->host, host.data, host.len);
    return least;
}

bool enc_breaker_admits(struct enc_breaker *breaker, struct enc_bytes url, uint64_t now_ms)
{
    if (breaker->failures == 0)
        return true;
    struct row *row = find(breaker, host_of(url));
    const char *was = name_of(row);
    bool is_cooled = row && row->state == OPEN && now_ms >= row->until_ms;
    bool admits = !row || row->state == CLOSED || is_cooled;
    if (is_cooled)
        row->state = HALF_OPEN;
    ENC_EDGE("breaker", breaker, was, admits ? "admit" : "rest", name_of(row));
    return admits;
}

static void fail(struct enc_breaker *breaker, struct row *row, uint64_t now_ms)
{
    row->failures++;
    if (row->state == OPEN || row->failures < breaker->failures)
        return; /* a POST that began before it opened changes nothing */
    row->state = OPEN;
    row->until_ms = now_ms + breaker->cooldown_ms;
}

void enc_breaker_note(struct enc_breaker *breaker, struct enc_bytes url, bool is_good,
                      uint64_t now_ms)
{
    struct enc_bytes host = host_of(url);
    if (breaker->failures == 0 || host.len == 0)
        return;
    struct row *row = find(breaker, host);
    const char *was = name_of(row);
    if (is_good && row)
        *row = (struct row){.len = 0};
    if (!is_good)
        row = row ? row : obtain(breaker, host);
    if (!is_good && row)
        fail(breaker, row, now_ms);
    ENC_EDGE("breaker", breaker, was, is_good ? "good" : "bad", name_of(row));
}

struct enc_breaker_counts enc_breaker_counts(const struct enc_breaker *breaker)
{
    struct enc_breaker_counts counts = {0, 0, 0};
    for (size_t i = 0; i < ENC_BREAKER_HOSTS_MAX; i++) {
        const struct row *row = &breaker->rows[i];
        counts.closed += row->len && row->state == CLOSED;
        counts.open += row->state == OPEN;
        counts.half_open += row->state == HALF_OPEN;
    }
    return counts;
}
