/**
 * The journal of a daemon's dealings with its disk, and of what it said meanwhile: written by
 * recorder.c inside the daemon, read by power.c. One file, records one after the other, each a
 * header and len bytes.
 */
#pragma once

#include <stdint.h>

enum { ENC_JOURNAL_MAGIC = 0x6a6e656d };

enum enc_journal_kind {
    ENC_JOURNAL_CREATE,  /* bytes: path; at: 1 for a folder */
    ENC_JOURNAL_FOLDER,  /* a folder was opened; bytes: path */
    ENC_JOURNAL_RENAME,  /* bytes: path NUL path; at: 1 when the old name stays */
    ENC_JOURNAL_UNLINK,  /* bytes: path */
    ENC_JOURNAL_SIZE,    /* at: the new length */
    ENC_JOURNAL_WRITE,   /* about to be written at `at` */
    ENC_JOURNAL_WRITTEN, /* that write was synchronous and has returned */
    ENC_JOURNAL_ASK,     /* a sync begins */
    ENC_JOURNAL_SYNCED,  /* it has returned with success */
    ENC_JOURNAL_SAY,     /* about to be sent to somebody */
    ENC_JOURNAL_KINDS,
};

/** Paths are relative to the folder that is recorded. */
struct enc_journal_record {
    uint32_t magic;
    uint32_t kind;
    uint64_t file; /* inode; 0 where there is none */
    uint64_t at;
    uint64_t len;
};
