/* verdicts KIND: what this program makes of each of many texts. Standard input: be32 length and bytes
 * of one after the other; standard output: a line for each, "-" when it is refused.
 *
 *     json      "+"
 *     commit    the commit hash and the id of the enclave that it would create
 *     manifest  size and timeout of bundles, then identity=mask for each of the initial state
 *     filter    a digit for each of 12 events: which statuses of it are taken, 1, 2 and 4 added up */
#include "proto/base/check.h"
#include "proto/commit.h"
#include "proto/filter.h"
#include "proto/manifest.h"

#include <inttypes.h>
#include <stdio.h>

enum { MEMORY_LEN = 16 << 20, TEXT_LEN_MAX = 1 << 20, EVENTS = 12, CONTENT_LEN_MAX = 256 };

static _Alignas(16) uint8_t memory[2][MEMORY_LEN];

typedef bool verdict_fn(struct enc_arena *arena, struct enc_bytes text);

static void put_hex(const uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len; i++)
        printf("%02x", data[i]);
}

static struct enc_json *parse(struct enc_arena *arena, struct enc_bytes text)
{
    struct enc_json *json = NULL;
    struct enc_json_facts facts;
    return enc_json_parse(&json, arena, text, &facts) == ENC_ERR_OK ? json : NULL;
}

static bool json(struct enc_arena *arena, struct enc_bytes text)
{
    bool is_good = parse(arena, text) != NULL;
    if (is_good)
        putchar('+');
    return is_good;
}

static bool commit(struct enc_arena *arena, struct enc_bytes text)
{
    struct enc_commit commit;
    uint8_t id32[32];
    const struct enc_json *body = parse(arena, text);
    if (!body || enc_commit_decode(&commit, arena, body, CONTENT_LEN_MAX) != ENC_ERR_OK)
        return false;
    enc_commit_hash_fill(&commit);
    enc_enclave_id(id32, &commit);
    put_hex(commit.hash32, 32);
    putchar(' ');
    put_hex(id32, 32);
    return true;
}

static bool manifest(struct enc_arena *arena, struct enc_bytes text)
{
    struct enc_arena scratch;
    struct enc_manifest manifest;
    uint8_t mask32[32];
    enc_arena_init_fixed(&scratch, memory[1], MEMORY_LEN);
    if (enc_manifest_parse(&manifest, arena, &scratch, text, NULL) != ENC_ERR_OK)
        return false;
    printf("%" PRIu32 " %" PRIu32, manifest.bundle_size, manifest.bundle_timeout_ms);
    for (uint32_t i = 0; i < manifest.initial_count; i++) {
        putchar(' ');
        put_hex(manifest.initial[i].identity32, 32);
        putchar('=');
        enc_roles_encode(mask32, &manifest.initial[i].roles);
        put_hex(mask32, 32);
    }
    return true;
}

static struct enc_bytes lang[] = {{(const uint8_t *)"lang", 4}, {(const uint8_t *)"en", 2}};
static struct enc_bytes r[] = {{(const uint8_t *)"r", 1}, {(const uint8_t *)"x", 1}};
static struct enc_bytes lang_de[] = {
    {(const uint8_t *)"lang", 4}, {(const uint8_t *)"de", 2}, {(const uint8_t *)"en", 2}};
static const struct enc_tag TAGS[] = {{lang, 2}, {r, 1}, {lang_de, 3}, {r, 2}};
static const struct enc_tags TAG_SETS[] = {{NULL, 0}, {TAGS, 1}, {TAGS + 1, 2}, {TAGS, 4}};

static bool filter(struct enc_arena *arena, struct enc_bytes text)
{
    static const char *const TYPES[] = {"Post", "Like", "Update"};
    struct enc_filter filter;
    const struct enc_json *body = parse(arena, text);
    if (!body || enc_filter_parse(&filter, arena, body, 1000) != ENC_ERR_OK)
        return false;
    for (unsigned i = 0; i < EVENTS; i++) {
        unsigned taken = 0;
        struct enc_event event = {.seq = i, .timestamp_ms = 1000 + i / 2};
        memset(event.id32, (int)(i * 0x11), 32);
        memset(event.commit.from32, i % 2 ? 0xaa : 0xbb, 32);
        event.commit.type = enc_bytes_of_text(TYPES[i % 3]);
        event.commit.tags = TAG_SETS[i % 4];
        for (unsigned status = 0; status < ENC_EVENT_STATUS_COUNT; status++)
            if (enc_filter_matches(&filter, &event, (enum enc_event_status)status))
                taken |= 1U << status;
        putchar((int)('0' + taken));
    }
    return true;
}

static const struct {
    const char *name;
    verdict_fn *judge;
} KINDS[] = {{"json", json}, {"commit", commit}, {"manifest", manifest}, {"filter", filter}};

static verdict_fn *judge_of(const char *name)
{
    for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++)
        if (strcmp(KINDS[i].name, name) == 0)
            return KINDS[i].judge;
    return NULL;
}

static bool next_text(uint8_t text[TEXT_LEN_MAX], size_t *len)
{
    uint8_t be4[4];
    if (fread(be4, 4, 1, stdin) != 1)
        return false;
    *len = enc_be32_get(be4);
    ENC_CHECK(*len <= TEXT_LEN_MAX);
    return fread(text, 1, *len, stdin) == *len;
}

int main(int argc, char **argv)
{
    static uint8_t text[TEXT_LEN_MAX];
    struct enc_arena arena;
    size_t len;
    verdict_fn *judge = argc == 2 ? judge_of(argv[1]) : NULL;
    if (!judge) {
        fputs("verdicts json|commit|manifest|filter\n", stderr);
        return 2;
    }
    while (next_text(text, &len)) {
        enc_arena_init_fixed(&arena, memory[0], MEMORY_LEN);
        puts(judge(&arena, enc_bytes_of(text, len)) ? "" : "-");
    }
    return 0;
}
