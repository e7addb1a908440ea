/** The parts of a Manifest's reader. Only for the files manifest*.c. */
#pragma once

#include "proto/json.h"
#include "proto/manifest.h"

/** What all parts need. scratch holds what is dead after the parse. */
struct enc_manifest_reading {
    struct enc_manifest *out;
    struct enc_arena *arena;
    struct enc_arena *scratch;
};

/** Read RBAC.schema; the roles are in out already. Errors: INVALID_MANIFEST, TOO_LARGE */
ENC_MUST_USE enum enc_err enc_manifest_take_rows(const struct enc_manifest_reading *reading,
                                                 const struct enc_json *schema);

/** Read RBAC.initial_state. Errors: INVALID_MANIFEST, TOO_LARGE */
ENC_MUST_USE enum enc_err enc_manifest_take_initial(const struct enc_manifest_reading *reading,
                                                    const struct enc_json *initial_state);
