#include "tests/fuzz/support/place.h"

#include "tests/fuzz/fuzz.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char place[64];
static pid_t owner;

static int unlink_one(const char *path, const struct stat *facts, int kind, struct FTW *level)
{
    (void)facts, (void)kind, (void)level;
    return remove(path);
}

/* Not by a child: libFuzzer forks for some of its jobs. */
static void clear(void)
{
    if (getpid() == owner)
        nftw(place, unlink_one, 8, FTW_DEPTH | FTW_PHYS);
}

struct enc_data *fuzz_data(void)
{
    static struct enc_data *data;
    static char dir[80];
    struct enc_store_note note;
    if (data)
        return data;
    snprintf(place, sizeof place, "%s/enc-fuzz-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    ENC_CHECK(mkdtemp(place) != NULL);
    owner = getpid();
    atexit(clear);
    snprintf(dir, sizeof dir, "%s/data", place);
    struct enc_data_config config = {
        .dir = dir, .node_pub32 = fuzz_key(3)->pub32, .map_len = (uint64_t)1 << 30};
    ENC_CHECK(enc_data_open(&data, &note, &config) == ENC_STORE_FAULT_NONE);
    return data;
}

static struct enc_chunk *take(void *self, size_t len)
{
    (void)self;
    len = len < 65536 ? 65536 : len;
    struct enc_chunk *chunk = (struct enc_chunk *)malloc(len);
    if (chunk)
        *chunk = (struct enc_chunk){.len = len};
    return chunk;
}

static void give(void *self, struct enc_chunk *list)
{
    (void)self;
    while (list) {
        struct enc_chunk *next = list->next;
        free(list);
        list = next;
    }
}

const struct enc_chunk_source FUZZ_CHUNKS = {.take = take, .give = give};
