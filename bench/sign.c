/*
 * load sign --dir DIR: commits signed beforehand, as files of requests.
 *
 *   manifests.txt  one Manifest for each of --enclaves, with --bundle events to a bundle,
 *                  which closes after --bundle_ms at the latest
 *   commits.txt    --count posts, to the enclaves in turn, numbered from --first; with --grants N
 *                  instead AC_Bundles that give N new identities a role each
 *   enclaves.txt   the ids
 *
 * The key and the ids follow from --seed, so that a second call can go on where the first ended.
 */
#include "bench/load.h"

#include "proto/base/hex.h"
#include "proto/commit.h"
#include "proto/sha256.h"

#include <stdlib.h>

enum { ARENA_LEN = 1 << 20, LIFE_MS = 1800000 };

struct signer {
    const struct load_options *options;
    struct enc_curve *curve;
    struct enc_key key;
    uint64_t exp_ms;
    uint8_t *memory; /* of one commit */
};

static void seed_hash(uint8_t out32[32], const char *seed, const char *what, size_t number)
{
    char text[256];
    int len = snprintf(text, sizeof text, "%s %s %zu", seed, what, number);
    enc_sha256(out32, enc_bytes_of(text, (size_t)len));
}

static void signer_init(struct signer *signer, const struct load_options *options)
{
    struct timespec now;
    uint8_t seed32[32];
    seed_hash(seed32, options->seed, "key", 0);
    clock_gettime(CLOCK_REALTIME, &now);
    signer->options = options;
    signer->exp_ms = (uint64_t)now.tv_sec * 1000 + LIFE_MS;
    signer->memory = (uint8_t *)load_alloc(1, ARENA_LEN);
    signer->curve =
        enc_curve_init(aligned_alloc(16, (enc_curve_size() + 15) & ~(size_t)15), seed32);
    ENC_CHECK(enc_key_init(&signer->key, signer->curve, seed32));
}

static struct enc_arena arena_of(struct signer *signer)
{
    struct enc_arena arena;
    enc_arena_init_fixed(&arena, signer->memory, ARENA_LEN);
    return arena;
}

static void write_commit(struct signer *signer, FILE *out, struct enc_arena *arena,
                         struct enc_commit *commit)
{
    struct enc_buffer buffer;
    struct enc_bytes json;
    commit->exp_ms = signer->exp_ms++; /* later commits of a client end later */
    ENC_CHECK(enc_commit_sign(signer->curve, commit, &signer->key) == ENC_ERR_OK);
    enc_buffer_init(&buffer, arena, ARENA_LEN);
    enc_commit_put_json(&buffer, commit);
    ENC_CHECK(enc_buffer_bytes(&buffer, &json) == ENC_ERR_OK);
    fprintf(out, "POST / %.*s\n", (int)json.len, (const char *)json.data);
}

static struct enc_bytes manifest_content(struct signer *signer, struct enc_arena *arena,
                                         size_t number)
{
    char *text = (char *)enc_arena_take(arena, 2048);
    char hex[65] = {0};
    enc_hex_encode(hex, enc_bytes_of(signer->key.pub32, 32));
    int len = snprintf(text, 2048,
                       "{\"enc_v\":1,\"RBAC\":{\"roles\":[\"Member\"],\"schema\":["
                       "{\"event\":\"Post\",\"role\":\"Owner\",\"ops\":[\"C\"]},"
                       "{\"event\":\"Grant\",\"role\":\"Owner\",\"ops\":[\"C\"],"
                       "\"target_roles\":[\"Member\"]},"
                       "{\"event\":\"AC_Bundle\",\"role\":\"Owner\",\"ops\":[\"C\"]},"
                       "{\"event\":\"*\",\"role\":\"Public\",\"ops\":[\"R\"]}],"
                       "\"initial_state\":{\"Owner\":[\"%s\"]}},"
                       "\"bundle\":{\"size\":%zu,\"timeout\":%zu},"
                       "\"meta\":{\"nonce\":\"%s %zu\"}}",
                       hex, signer->options->bundle, signer->options->bundle_ms,
                       signer->options->seed, number);
    return enc_bytes_of(text, (size_t)len);
}

static void write_manifests(struct signer *signer, uint8_t (*ids32)[32], FILE *out, FILE *ids)
{
    for (size_t i = 0; i < signer->options->enclaves; i++) {
        struct enc_arena arena = arena_of(signer);
        char hex[65] = {0};
        struct enc_commit commit = {.type = ENC_LIT("Manifest")};
        commit.content = manifest_content(signer, &arena, i);
        write_commit(signer, out, &arena, &commit);
        memcpy(ids32[i], commit.enclave32, 32);
        enc_hex_encode(hex, enc_bytes_of(ids32[i], 32));
        fprintf(ids, "%s\n", hex);
    }
}

static struct enc_bytes post_content(struct enc_arena *arena, size_t number)
{
    char *text = (char *)enc_arena_take(arena, 256);
    int len = snprintf(text, 256,
                       "{\"text\":\"a post of the usual length, number %zu, as people write them "
                       "when they have something short to say to each other\"}",
                       number);
    return enc_bytes_of(text, (size_t)len);
}

static void write_posts(struct signer *signer, const uint8_t (*ids32)[32], FILE *out)
{
    const struct load_options *options = signer->options;
    for (size_t i = options->first; i < options->first + options->count; i++) {
        struct enc_arena arena = arena_of(signer);
        struct enc_commit commit = {.type = ENC_LIT("Post")};
        commit.content = post_content(&arena, i);
        memcpy(commit.enclave32, ids32[i % options->enclaves], 32);
        write_commit(signer, out, &arena, &commit);
    }
}

/* An identity that nobody has the key of: a hash that happens to be a point. */
static void put_identity(char hex[65], const char *seed, size_t number)
{
    uint8_t pub32[32];
    seed_hash(pub32, seed, "identity", number);
    while (!enc_point_lifts(pub32))
        enc_sha256(pub32, enc_bytes_of(pub32, 32));
    memset(hex, 0, 65);
    enc_hex_encode(hex, enc_bytes_of(pub32, 32));
}

/* All identities get their role in the first enclave, --grants at a time. */
static void write_grants(struct signer *signer, const uint8_t (*ids32)[32], FILE *out)
{
    const struct load_options *options = signer->options;
    for (size_t i = options->first; i < options->first + options->count;) {
        struct enc_arena arena = arena_of(signer);
        struct enc_buffer buffer;
        struct enc_commit commit = {.type = ENC_LIT("AC_Bundle")};
        enc_buffer_init(&buffer, &arena, ARENA_LEN / 2);
        enc_json_put_raw(&buffer, "{\"operations\":[");
        for (size_t k = 0; k < options->grants && i < options->first + options->count; k++, i++) {
            char hex[65];
            put_identity(hex, options->seed, i);
            enc_json_put_raw(&buffer, k ? ",{\"type\":\"Grant\"" : "{\"type\":\"Grant\"");
            enc_json_member_text(&buffer, "identity", enc_bytes_of_text(hex));
            enc_json_put_raw(&buffer, ",\"role\":\"Member\"}");
        }
        enc_json_put_raw(&buffer, "]}");
        ENC_CHECK(enc_buffer_bytes(&buffer, &commit.content) == ENC_ERR_OK);
        memcpy(commit.enclave32, ids32[0], 32);
        write_commit(signer, out, &arena, &commit);
    }
}

int load_run_sign(const struct load_options *options)
{
    struct signer signer;
    uint8_t(*ids32)[32] = load_alloc(options->enclaves, 32);
    FILE *manifests = load_create(options, "manifests.txt");
    FILE *enclaves = load_create(options, "enclaves.txt");
    FILE *commits = load_create(options, "commits.txt");
    signer_init(&signer, options);
    write_manifests(&signer, ids32, manifests, enclaves);
    if (options->grants)
        write_grants(&signer, ids32, commits);
    else
        write_posts(&signer, ids32, commits);
    bool is_written = fclose(manifests) == 0 && fclose(enclaves) == 0 && fclose(commits) == 0;
    if (!is_written)
        load_die("write");
    printf("{\"enclaves\":%zu,\"commits\":%zu}\n", options->enclaves, options->count);
    return 0;
}
