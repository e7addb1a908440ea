/** HTTP for one command: requests one after the other over one kept connection. Main thread. */
#pragma once

#include "net/encctl/ctl.h"
#include "proto/json.h"

/** What came back. json is NULL when the body is none. Lives in the arena it was asked into. */
struct enc_answer {
    long status;
    struct enc_bytes body;
    const struct enc_json *json;
};

/** GET url + path. False, and told why, when there was no answer at all. */
ENC_MUST_USE bool enc_http_get(struct enc_ctl *ctl, struct enc_arena *arena,
                               struct enc_answer *answer, const char *path);

/** POST of a JSON body. */
ENC_MUST_USE bool enc_http_post(struct enc_ctl *ctl, struct enc_arena *arena,
                                struct enc_answer *answer, const char *path, struct enc_bytes body);

/**
 * Whether an answer is a JSON object with status 200; if not, tells what the node said: its error
 * object with --json, else code and message.
 */
ENC_MUST_USE bool enc_http_good(const struct enc_ctl *ctl, const struct enc_answer *answer);
