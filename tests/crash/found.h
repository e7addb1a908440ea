/** What a data directory holds once the real store has opened it, checked as encctl fsck does. */
#pragma once

#include "tests/crash/said.h"

/** The first thing that is wrong. */
struct fault {
    char text[512];
};

/** Where to look. */
struct place {
    const char *dir;
    const char *scratch; /* a folder for the DataViews to be folded in again */
    unsigned shards;     /* of a directory that is still to be made; 0: one */
};

/**
 * Open dir as the daemon does at its start, check all of it, and collect what it can answer for.
 * False, with fault, when something is wrong. Leaks: for a process that ends soon.
 */
bool found_in(struct said *said, struct fault *fault, const struct place *place);
