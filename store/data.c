#include "store/data.h"
#include "store/dir.h"
#include "store/mark.h"
#include "store/note.h"
#include "store/shard.h"

#include <stdlib.h>

enum { SHARD_MAX = 1024, READER_MAX_DEFAULT = 126, READER_MAX_MOST = 4096 };

struct enc_data {
    struct enc_dir dir;
    uint32_t shard_count; /* opened so far */
    struct enc_store *shards;
};

/* Settle how many shards there are; *fresh when the directory is still to be made. */
static enum enc_store_fault settle(uint32_t *count, bool *fresh, struct enc_store_note *note,
                                   const struct enc_dir *dir, uint32_t wanted)
{
    enum enc_store_fault fault = enc_dir_version(dir, note, count);
    if (fault)
        return fault;
    *fresh = *count == 0;
    if (*fresh)
        *count = wanted ? wanted : 1;
    if (wanted && wanted != *count)
        return enc_note(note, ENC_STORE_FAULT_SHARDS, "%s was made with %u shards, not %u",
                        dir->path, *count, wanted);
    if (*count > SHARD_MAX)
        return enc_note(note, ENC_STORE_FAULT_SHARDS, "%s: %u shards are too many", dir->path,
                        *count);
    return ENC_STORE_FAULT_NONE;
}

static uint32_t reader_max(const struct enc_data_config *config)
{
    uint32_t wanted = config->reader_max ? config->reader_max : READER_MAX_DEFAULT;
    return wanted < READER_MAX_MOST ? wanted : READER_MAX_MOST;
}

static struct enc_shard_spec spec_of(const struct enc_data_config *config, uint32_t count,
                                     bool fresh)
{
    return (struct enc_shard_spec){.dir = config->dir,
                                   .node_pub32 = config->node_pub32,
                                   .map_len = config->map_len,
                                   .count = count,
                                   .reader_max = reader_max(config),
                                   .sync = config->sync,
                                   .fresh = fresh};
}

static enum enc_store_fault open_shards(struct enc_data *data, struct enc_store_note *note,
                                        struct enc_shard_spec spec)
{
    data->shards = (struct enc_store *)calloc(spec.count, sizeof *data->shards);
    ENC_CHECK(data->shards != NULL);
    for (; data->shard_count < spec.count; data->shard_count++) {
        spec.index = data->shard_count;
        enum enc_store_fault fault = enc_shard_open(&data->shards[spec.index], note, &spec);
        if (fault)
            return fault;
    }
    return spec.fresh ? enc_dir_found(&data->dir, note, spec.count) : ENC_STORE_FAULT_NONE;
}

static enum enc_store_fault check_held(struct enc_store_note *note,
                                       const struct enc_data_config *config)
{
    char why[ENC_HELD_LEN_MAX];
    enum enc_store_fault fault = enc_data_held(why, note, config->dir);
    if (fault || !why[0] || config->opens_held)
        return fault;
    return enc_note(note, ENC_STORE_FAULT_HELD, "%s is held: %s", config->dir, why);
}

static enum enc_store_fault fill(struct enc_data *data, struct enc_store_note *note,
                                 const struct enc_data_config *config)
{
    uint32_t count = 0;
    bool fresh = false;
    enum enc_store_fault fault = enc_dir_enter(&data->dir, note, config->dir);
    if (!fault)
        fault = check_held(note, config);
    if (!fault)
        fault = settle(&count, &fresh, note, &data->dir, config->shard_count);
    return fault ? fault : open_shards(data, note, spec_of(config, count, fresh));
}

enum enc_store_fault enc_data_open(struct enc_data **out, struct enc_store_note *note,
                                   const struct enc_data_config *config)
{
    *out = NULL;
    note->text[0] = '\0';
    struct enc_data *data = (struct enc_data *)calloc(1, sizeof *data);
    ENC_CHECK(data != NULL);
    enum enc_store_fault fault = fill(data, note, config);
    if (fault)
        enc_data_close(data);
    else
        *out = data;
    return fault;
}

void enc_data_close(struct enc_data *data)
{
    if (!data)
        return;
    while (data->shard_count > 0)
        enc_shard_close(&data->shards[--data->shard_count]);
    free(data->shards);
    enc_dir_leave(&data->dir);
    free(data);
}

uint32_t enc_data_shard_count(const struct enc_data *data)
{
    return data->shard_count;
}

struct enc_store *enc_data_shard(struct enc_data *data, const uint8_t enclave32[32])
{
    return &data->shards[enc_be64_get(enclave32) % data->shard_count];
}

struct enc_store *enc_data_shard_at(struct enc_data *data, uint32_t index)
{
    ENC_CHECK(index < data->shard_count);
    return &data->shards[index];
}
