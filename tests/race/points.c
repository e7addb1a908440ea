/*
 * The cache of lifted keys under many threads that all want the same few entries.
 */
#include "tests/race/race.h"

#include "services/points.h"

enum { THREADS = 4, KEYS = 24, ROUNDS = 40000 };

static struct enc_points *points;
static uint8_t keys32[KEYS][32];
static struct enc_point wanted[KEYS];

static void make_keys(void)
{
    for (uint32_t made = 0, number = 0; made < KEYS; number++) {
        memset(keys32[made], 3, 32);
        enc_be32_put(keys32[made], number);
        enc_be32_put(keys32[made] + 28, made % 3); /* eight keys to an entry */
        made += enc_point_lift(&wanted[made], keys32[made]);
    }
}

static void *want_keys(void *arg)
{
    uint64_t random = (uint64_t)(uintptr_t)arg;
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct enc_point got;
        size_t which = enc_splitmix(&random) % KEYS;
        race_expect(enc_points_lift(points, &got, keys32[which]), "a key of the curve lifts");
        race_expect(memcmp(&got, &wanted[which], sizeof got) == 0, "to its own point");
    }
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];
    race_deadline(60);
    points = enc_points_new();
    make_keys();
    for (uintptr_t i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, want_keys, (void *)(i + 1));
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    enc_points_free(points);
    race_check(true, "all keys came back as themselves");
    return race_end();
}
