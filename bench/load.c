/*
 * load --mode ws|h2|floor --url HOST PORT --pid PID --enclaves N --commits N --in-flight N
 *
 * Signs everything beforehand, then sends it and prints one line: accepted commits per second, server CPU per commit,
 * latency. --mode floor prints the cost of a bare verification and signature with the same library and keys.
 */
#include "bench/load.h"

#include "proto/commit.h"
#include "proto/sha256.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct options {
    const char *mode;
    const char *host;
    const char *port;
    long pid;
    size_t enclaves;
    size_t commits;
    size_t in_flight;
};

struct signer {
    struct enc_curve *curve;
    struct enc_key key;
    struct enc_arena arena;
    uint64_t exp_ms;
};

uint64_t load_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

int load_connect(const char *host, const char *port)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    int one = 1;
    if (getaddrinfo(host, port, &hints, &found) != 0) {
        fprintf(stderr, "cannot resolve %s\n", host);
        exit(1);
    }
    int fd = socket(found->ai_family, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, found->ai_addr, found->ai_addrlen) != 0) {
        perror("connect");
        exit(1);
    }
    freeaddrinfo(found);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

void load_answered(struct load_work *work, size_t index, struct enc_bytes body)
{
    static const char RECEIPT[] = "{\"type\":\"Receipt\"";
    work->latency_ns[work->answered++] = load_now_ns() - work->sent_ns[index];
    if (body.len > sizeof RECEIPT && memcmp(body.data, RECEIPT, sizeof RECEIPT - 1) == 0)
        work->accepted++;
    else if (work->answered - work->accepted < 4)
        fprintf(stderr, "refused: %.*s\n", (int)body.len, (const char *)body.data);
}

/* ---- signing beforehand ---- */

static struct enc_chunk *take_chunk(void *self, size_t len)
{
    (void)self;
    struct enc_chunk *chunk = (struct enc_chunk *)aligned_alloc(16, (len + 15) & ~(size_t)15);
    if (chunk)
        chunk->len = (len + 15) & ~(size_t)15;
    return chunk;
}

static void give_chunks(void *self, struct enc_chunk *list)
{
    (void)self;
    (void)list; /* everything lives until the program ends */
}

static void init_signer(struct signer *signer)
{
    static const struct enc_chunk_source CHUNKS = {take_chunk, give_chunks, NULL};
    struct timespec now;
    uint8_t seed32[32];
    clock_gettime(CLOCK_REALTIME, &now);
    signer->exp_ms = (uint64_t)now.tv_sec * 1000 + 1800000;
    if (getrandom(seed32, sizeof seed32, 0) != sizeof seed32)
        exit(1);
    signer->curve =
        enc_curve_init(aligned_alloc(16, (enc_curve_size() + 15) & ~(size_t)15), seed32);
    ENC_CHECK(enc_key_init(&signer->key, signer->curve, seed32));
    enc_arena_init(&signer->arena, &CHUNKS, SIZE_MAX / 2);
}

static struct enc_bytes sign(struct signer *signer, struct enc_commit *commit)
{
    struct enc_buffer buffer;
    struct enc_bytes json;
    ENC_CHECK(enc_commit_sign(signer->curve, commit, &signer->key) == ENC_ERR_OK);
    enc_buffer_init(&buffer, &signer->arena, 1 << 20);
    enc_commit_put_json(&buffer, commit);
    ENC_CHECK(enc_buffer_bytes(&buffer, &json) == ENC_ERR_OK);
    return json;
}

static struct enc_bytes sign_manifest(struct signer *signer, uint8_t enclave32[32], size_t number)
{
    char hex[65] = {0};
    char *content = (char *)enc_arena_take(&signer->arena, 1024);
    for (size_t i = 0; i < 32; i++)
        snprintf(hex + 2 * i, 3, "%02x", signer->key.pub32[i]);
    int len = snprintf(content, 1024,
                       "{\"enc_v\":1,\"RBAC\":{\"roles\":[],\"schema\":["
                       "{\"event\":\"Post\",\"role\":\"Owner\",\"ops\":[\"C\"]},"
                       "{\"event\":\"*\",\"role\":\"Public\",\"ops\":[\"R\"]}],"
                       "\"initial_state\":{\"Owner\":[\"%s\"]}},\"meta\":{\"nonce\":\"%zu\"}}",
                       hex, number);
    struct enc_commit commit = {
        .type = ENC_LIT("Manifest"),
        .content = enc_bytes_of(content, (size_t)len),
        .exp_ms = signer->exp_ms,
    };
    struct enc_bytes json = sign(signer, &commit);
    memcpy(enclave32, commit.enclave32, 32);
    return json;
}

static struct enc_bytes sign_post(struct signer *signer, const uint8_t enclave32[32], size_t number)
{
    char *content = (char *)enc_arena_take(&signer->arena, 256);
    int len = snprintf(content, 256,
                       "{\"text\":\"a post of the usual length, number %zu, as people write them "
                       "when they have something short to say to each other\"}",
                       number);
    struct enc_commit commit = {
        .type = ENC_LIT("Post"),
        .content = enc_bytes_of(content, (size_t)len),
        .exp_ms = signer->exp_ms,
    };
    memcpy(commit.enclave32, enclave32, 32);
    return sign(signer, &commit);
}

/* ---- measuring ---- */

/* Fields 14 and 15 of the process's stat line: user and system time in ticks. */
static double server_cpu_s(long pid)
{
    enum { FIELDS_BEFORE = 12 };
    char path[64];
    char line[1024];
    snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    FILE *file = fopen(path, "r");
    if (!file || !fgets(line, sizeof line, file))
        exit(1);
    fclose(file);
    char *rest = strrchr(line, ')');
    for (int i = 0; rest && i < FIELDS_BEFORE; i++)
        rest = strchr(rest + 1, ' ');
    if (!rest)
        exit(1);
    unsigned long user = strtoul(rest, &rest, 10);
    unsigned long system = strtoul(rest, NULL, 10);
    return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

static int by_value(const void *a, const void *b)
{
    const uint64_t *x = (const uint64_t *)a;
    const uint64_t *y = (const uint64_t *)b;
    return *x < *y ? -1 : *x > *y;
}

static void init_work(struct load_work *work, const struct enc_bytes *bodies, size_t count,
                      size_t in_flight)
{
    *work = (struct load_work){.bodies = bodies, .count = count, .in_flight = in_flight};
    work->latency_ns = (uint64_t *)calloc(count + 1, sizeof(uint64_t));
    work->sent_ns = (uint64_t *)calloc(count + 1, sizeof(uint64_t));
    ENC_CHECK(work->latency_ns && work->sent_ns);
}

static void drive(struct load_work *work, const struct options *options)
{
    if (strcmp(options->mode, "h2") == 0)
        load_h2(work, options->host, options->port);
    else
        load_ws(work, options->host, options->port);
}

static double ms_at(const struct load_work *work, size_t percent)
{
    size_t index = work->count * percent / 100;
    return (double)work->latency_ns[index] / 1e6;
}

static void report(const struct options *options, struct load_work *work, double wall_s,
                   double cpu_s)
{
    qsort(work->latency_ns, work->count, sizeof(uint64_t), by_value);
    printf("%-5s enclaves=%-4zu in_flight=%-4zu accepted=%zu of %zu  %8.0f commits/s  server %6.1f "
           "us/commit  "
           "p50 %.2f ms  p99 %.2f ms\n",
           options->mode, options->enclaves, options->in_flight, work->accepted, work->count,
           (double)work->accepted / wall_s, cpu_s / (double)work->accepted * 1e6, ms_at(work, 50),
           ms_at(work, 99));
}

static int measure(const struct options *options, struct signer *signer)
{
    struct load_work work;
    uint8_t(*ids32)[32] = calloc(options->enclaves + 1, 32);
    struct enc_bytes *bodies = calloc(options->commits + options->enclaves, sizeof *bodies);
    ENC_CHECK(ids32 && bodies);
    for (size_t i = 0; i < options->enclaves; i++)
        bodies[i] = sign_manifest(signer, ids32[i], i);
    init_work(&work, bodies, options->enclaves, options->in_flight);
    drive(&work, options);
    for (size_t i = 0; i < options->commits; i++)
        bodies[i] = sign_post(signer, ids32[i % options->enclaves], i);
    init_work(&work, bodies, options->commits, options->in_flight);
    double cpu_s = server_cpu_s(options->pid);
    uint64_t start_ns = load_now_ns();
    drive(&work, options);
    double wall_s = (double)(load_now_ns() - start_ns) / 1e9;
    report(options, &work, wall_s, server_cpu_s(options->pid) - cpu_s);
    return work.accepted == work.count ? 0 : 1;
}

static int measure_floor(const struct options *options, struct signer *signer)
{
    uint8_t msg32[32] = {1};
    uint8_t sig64[64];
    struct timespec before;
    struct timespec after;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
    for (size_t i = 0; i < options->commits; i++) {
        enc_be64_put(msg32, i);
        enc_schnorr_sign(signer->curve, sig64, &signer->key, msg32);
        ENC_CHECK(enc_schnorr_verify(signer->curve, sig64, msg32, signer->key.pub32));
    }
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after);
    double cpu_s =
        (double)(after.tv_sec - before.tv_sec) + (double)(after.tv_nsec - before.tv_nsec) / 1e9;
    printf("floor one verification and one signature: %.1f us\n",
           cpu_s / (double)options->commits * 1e6);
    return 0;
}

int main(int argc, char **argv)
{
    struct options options = {"ws", "127.0.0.1", "8080", 0, 1, 20000, 64};
    struct signer signer;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--mode") == 0)
            options.mode = argv[i + 1];
        else if (strcmp(argv[i], "--port") == 0)
            options.port = argv[i + 1];
        else if (strcmp(argv[i], "--pid") == 0)
            options.pid = strtol(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--enclaves") == 0)
            options.enclaves = strtoul(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--commits") == 0)
            options.commits = strtoul(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--in-flight") == 0)
            options.in_flight = strtoul(argv[i + 1], NULL, 10);
    }
    ENC_CHECK(options.enclaves > 0 && options.commits > 0);
    init_signer(&signer);
    if (strcmp(options.mode, "floor") == 0)
        return measure_floor(&options, &signer);
    return measure(&options, &signer);
}
