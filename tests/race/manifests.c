/*
 * The cache of parsed Manifests under many threads that all want the same few entries, while others
 * take their places.
 */
#include "tests/race/race.h"

#include "services/manifests.h"

enum { THREADS = 4, ENCLAVES = 12, ROUNDS = 8000, CHUNK_ALIGN = 16 };

static struct enc_manifests *manifests;
static char contents[ENCLAVES][512];
static _Atomic int64_t chunks_out;

static struct enc_chunk *take_chunk(void *self, size_t len)
{
    (void)self;
    len = (len + CHUNK_ALIGN - 1) & ~(size_t)(CHUNK_ALIGN - 1);
    struct enc_chunk *chunk = (struct enc_chunk *)aligned_alloc(CHUNK_ALIGN, len);
    chunk->len = len;
    atomic_fetch_add(&chunks_out, 1);
    return chunk;
}

static void give_chunks(void *self, struct enc_chunk *list)
{
    (void)self;
    while (list) {
        struct enc_chunk *next = list->next;
        free(list);
        list = next;
        atomic_fetch_sub(&chunks_out, 1);
    }
}

static const struct enc_chunk_source CHUNKS = {take_chunk, give_chunks, NULL};

/* Four enclaves to an entry; which one it is shows in the size of its bundles. */
static void id_of(uint8_t enclave32[32], unsigned which)
{
    memset(enclave32, 0, 32);
    enc_be32_put(enclave32, which % 3);
    enclave32[31] = (uint8_t)which;
}

static void make_contents(void)
{
    for (unsigned i = 0; i < ENCLAVES; i++)
        snprintf(
            contents[i], sizeof contents[i],
            "{\"enc_v\":1,\"RBAC\":{\"roles\":[],\"schema\":[],\"initial_state\":{\"Owner\":[\""
            "f9308a019258c31049344f85f89d5229b531c845836f99b08601f113bce036f9\"]}},"
            "\"bundle\":{\"size\":%u,\"timeout\":0}}",
            i + 1);
}

static void want(unsigned which)
{
    uint8_t enclave32[32];
    id_of(enclave32, which);
    struct enc_held_manifest *held = enc_manifests_find(manifests, enclave32);
    if (!held && enc_manifests_add(manifests, &held, enclave32,
                                   enc_bytes_of_text(contents[which])) != ENC_ERR_OK)
        held = NULL;
    race_expect(held != NULL, "a Manifest can be had");
    if (held)
        race_expect(enc_held_manifest(held)->bundle_size == which + 1, "and is the one asked for");
    enc_held_manifest_drop(held);
}

static void *want_many(void *arg)
{
    uint64_t random = (uint64_t)(uintptr_t)arg;
    for (unsigned i = 0; i < ROUNDS; i++)
        want((unsigned)(enc_splitmix(&random) % ENCLAVES));
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];
    race_deadline(60);
    manifests = enc_manifests_new(&CHUNKS);
    make_contents();
    for (uintptr_t i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, want_many, (void *)(i + 1));
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    enc_manifests_free(manifests);
    race_check(atomic_load(&chunks_out) == 0, "every Manifest is given back");
    return race_end();
}
