/*
 * Chunks that many threads take and give back: whoever has one has it alone, and what was written to
 * it before is over.
 */
#include "tests/race/race.h"

#include "services/chunks.h"

enum { THREADS = 4, HELD = 12, ROUNDS = 20000 };

static struct enc_chunks *chunks;

static size_t some_len(uint64_t *random)
{
    static const size_t LENS[] = {100, 100, 4000, 9000, 70000};
    return LENS[enc_splitmix(random) % (sizeof LENS / sizeof *LENS)];
}

static struct enc_chunk *take_one(uint64_t *random)
{
    struct enc_chunk *chunk = enc_chunks_take(chunks, some_len(random));
    if (!chunk)
        abort();
    memset((uint8_t *)chunk + sizeof *chunk, (int)(uintptr_t)random & 0xff, 64);
    chunk->next = NULL;
    return chunk;
}

static void give_one(struct enc_chunk *chunk, const uint64_t *random)
{
    const uint8_t *bytes = (const uint8_t *)chunk + sizeof *chunk;
    for (size_t i = 0; i < 64; i++)
        race_expect(bytes[i] == ((uintptr_t)random & 0xff), "a chunk is one thread's alone");
    enc_chunks_give(chunks, chunk);
}

static void *come_and_go(void *arg)
{
    uint64_t *random = (uint64_t *)arg;
    struct enc_chunk *held[HELD] = {NULL};
    for (unsigned i = 0; i < ROUNDS; i++) {
        size_t at = enc_splitmix(random) % HELD;
        if (held[at])
            give_one(held[at], random);
        held[at] = held[at] ? NULL : take_one(random);
    }
    for (size_t at = 0; at < HELD; at++)
        if (held[at])
            give_one(held[at], random);
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];
    uint64_t randoms[THREADS] = {1, 2, 3, 4};
    race_deadline(60);
    chunks = enc_chunks_new();
    race_start(threads, THREADS, come_and_go, randoms, sizeof *randoms);
    race_join(threads, THREADS);
    enc_chunks_free(chunks);
    race_check(true, "all chunks went home");
    return race_end();
}
