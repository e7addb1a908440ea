/** A data directory in memory for one process, gone with it. */
#pragma once

#include "store/store.h"

/** Open it, when first asked for. */
struct enc_data *fuzz_data(void);

/** Chunks for the arenas of a host or an import: from malloc, bounded by nothing. */
extern const struct enc_chunk_source FUZZ_CHUNKS;
