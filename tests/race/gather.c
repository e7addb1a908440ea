/*
 * Reads that several loops gather, on real workers: each is answered once, with the answer that it
 * gets alone.
 */
#include "tests/race/race.h"

#include "services/host.h"
#include "store/data.h"

#include <ftw.h>
#include <string.h>

enum { LOOPS = 3, TURNS = 1500, KINDS = 4, TURN_MAX = 20, REGISTRY = 1 };

/* What is asked, and the beginning of its only answer. */
static const struct kind {
    unsigned service;
    enum enc_method method;
    const char *path;
    const char *body;
    unsigned status;
    const char *answer;
} ASKED[KINDS] = {
    {REGISTRY, ENC_METHOD_GET, "/info/enclave", "", 200, "{\"enclave\":\""},
    {REGISTRY, ENC_METHOD_GET, "/sth", "", 200, "{\"t\":"},
    {REGISTRY, ENC_METHOD_POST, "/state",
     "{\"type\":\"Query\",\"content\":{\"namespace\":\"rbac\",\"key\":"
     "\"00000000000000000000000000000000000000000000000000000000000000ff\"}}",
     200, "{\"type\":\"Response\",\"content\":{"},
    {0, ENC_METHOD_GET,
     "/enclave/00000000000000000000000000000000000000000000000000000000000000ff/sth", "", 404,
     "{\"type\":\"Error\",\"code\":\"ENCLAVE_NOT_FOUND\""},
};

struct enc_call {
    const struct kind *kind;
    _Atomic unsigned answers;
};

struct loop {
    struct enc_host *host;
    struct enc_gathering gathering;
    struct enc_call calls[TURNS][TURN_MAX];
};

static struct loop loops[LOOPS];

static void fill_random(void *self, uint8_t *out, size_t len)
{
    (void)self;
    memset(out, 3, len);
}

static void reply(void *self, struct enc_call *call, const struct enc_reply *answer)
{
    const struct kind *kind = call->kind;
    size_t len = strlen(kind->answer);
    (void)self;
    race_expect(answer->status == kind->status, "the status of this read");
    race_expect(answer->body.len > len && memcmp(answer->body.data, kind->answer, len) == 0,
                "the answer of this read");
    if (answer->release)
        answer->release(answer->owner);
    atomic_fetch_add(&call->answers, 1);
}

static void send_one(struct loop *loop, struct enc_call *call, uint64_t random)
{
    struct enc_ws_place place;
    const struct kind *kind = &ASKED[random % KINDS];
    struct enc_request request = {
        .method = kind->method,
        .path = enc_bytes_of_text(kind->path),
        .body = enc_bytes_of_text(kind->body),
        .call = call,
        .gathering = random & 64 ? &loop->gathering : NULL,
    };
    call->kind = kind;
    race_expect(enc_host_handle(loop->host, kind->service, &request, &place) == ENC_HANDLED_CALL,
                "a read is a call");
}

static void wait_for(struct enc_call *calls, size_t count)
{
    for (size_t i = 0; i < count; i++)
        while (atomic_load(&calls[i].answers) == 0)
            race_sleep_us(20);
}

static void *turn(void *arg)
{
    struct loop *loop = (struct loop *)arg;
    uint64_t random = (uint64_t)(loop - loops) + 1;
    for (size_t i = 0; i < TURNS; i++) {
        size_t count = enc_splitmix(&random) % TURN_MAX;
        loop->gathering.is_done_here = i % 2;
        for (size_t n = 0; n < count; n++)
            send_one(loop, &loop->calls[i][n], enc_splitmix(&random));
        enc_host_end_turn(loop->host, &loop->gathering);
        if (i % 8 == 0)
            wait_for(loop->calls[i], count);
    }
    return NULL;
}

static struct enc_host *start(struct enc_data **data, const char *root)
{
    static struct enc_runtime runtime = {
        .now_ms = race_now_ms, .random = fill_random, .reply = reply};
    static const uint8_t priv32[32] = {[31] = 5};
    static const uint8_t pub32[32] = {1};
    static char dir[80];
    struct enc_store_note note;
    const char *why;
    struct enc_host *host;
    struct enc_data_config kept = {
        .dir = dir, .node_pub32 = pub32, .map_len = 1 << 26, .sync = false};
    struct enc_host_config config = {
        .runtime = &runtime, .node_priv32 = priv32, .worker_count = 3, .version = "race"};
    snprintf(dir, sizeof dir, "%s/data", root);
    enc_limits_default(&config.limits);
    if (enc_data_open(data, &note, &kept) != ENC_STORE_FAULT_NONE)
        abort();
    config.data = *data;
    if (enc_host_start(&host, &config, &why) != ENC_ERR_OK)
        abort();
    return host;
}

static void expect_all_answered_once(void)
{
    for (size_t l = 0; l < LOOPS; l++)
        for (size_t i = 0; i < TURNS; i++)
            for (size_t n = 0; n < TURN_MAX; n++) {
                const struct enc_call *call = &loops[l].calls[i][n];
                race_expect(call->answers == (call->kind != NULL), "answered once");
            }
}

static int remove_one(const char *path, const struct stat *stat, int kind, struct FTW *at)
{
    (void)stat;
    (void)kind;
    (void)at;
    return remove(path);
}

int main(void)
{
    char root[] = P_tmpdir "/enc-race-XXXXXX";
    struct enc_data *data;
    pthread_t threads[LOOPS];
    race_deadline(120);
    if (!mkdtemp(root))
        abort();
    struct enc_host *host = start(&data, root);
    for (size_t i = 0; i < LOOPS; i++)
        loops[i].host = host;
    race_start(threads, LOOPS, turn, loops, sizeof *loops);
    race_join(threads, LOOPS);
    enc_host_drain(host);
    expect_all_answered_once();
    enc_host_stop(host);
    enc_data_close(data);
    nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    race_check(true, "every read was answered");
    return race_end();
}
