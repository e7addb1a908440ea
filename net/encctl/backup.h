/** What a backup is: a data directory, held, and beside it a list of its files. Main thread. */
#pragma once

#include "net/encctl/files.h"

#define ENC_BACKUP_LIST "backup.json"

enum { ENC_BACKUP_FORMAT = 1, ENC_BACKUP_NAME_LEN_MAX = 32, ENC_BACKUP_SHARDS_MAX = 1024 };

/** A file of a backup. */
struct enc_backup_file {
    char name[ENC_BACKUP_NAME_LEN_MAX];
    uint64_t len;
    uint8_t sha32[32];
};

/** What the list says. */
struct enc_backup {
    uint8_t node_pub32[32]; /* whose data it is */
    uint64_t created_ms;
    uint32_t data_format;
    uint32_t shard_count;
    struct enc_backup_file *files;
    size_t file_count;
};

/** Append the list as JSON. */
void enc_backup_put(struct enc_buffer *out, const struct enc_backup *backup);

/** Read it from dir; files live in the arena of ctl. False, and told why. */
ENC_MUST_USE bool enc_backup_read(struct enc_backup *out, struct enc_ctl *ctl, const char *dir);

/** Whether a file of that name belongs to a backup of that many shards: no other is ever opened. */
bool enc_backup_names(const char *name, uint32_t shard_count);
