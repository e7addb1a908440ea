/**
 * What a journal's files are on a disk whose power may go at any moment. What is certain is what a
 * sync that returned had found written; of everything later a seeded part is there, in any order
 * and in sectors, and lengths and names are as uncertain as contents.
 */
#pragma once

#include "tests/crash/journal.h"

#include <stdbool.h>
#include <stddef.h>

struct disk;
struct random {
    uint64_t state;
};

uint64_t random_next(struct random *random);
uint64_t random_below(struct random *random, uint64_t end);

/** How much of what is not certain is there. */
enum disk_mode {
    DISK_NOTHING,
    DISK_ALL,
    DISK_HALF,     /* each write by a coin */
    DISK_SHUFFLED, /* all, later ones below earlier ones too */
    DISK_TORN,     /* each sector by a coin */
    DISK_BUT_ONE,  /* all writes but one */
    DISK_ONE,      /* one write only */
    DISK_MODES,
};
const char *disk_mode_name(enum disk_mode mode);

/** A disk without files. The journal's bytes must outlive it. */
struct disk *disk_new(void);

/** The next record has happened. */
void disk_step(struct disk *disk, const struct enc_journal_record *record, const uint8_t *bytes);

/** Make the files below folder as they may be found after a power cut now. False: it failed. */
bool disk_image(const struct disk *disk, const char *folder, enum disk_mode mode,
                struct random *random);
