/** What a commit must be, read off protocol.md 2.1 and 2.2 over jansson's tree. */
#pragma once

#include "proto/base/err.h"
#include "tests/fuzz/naive/hash.h"
#include "tests/fuzz/naive/tree.h"

/** Whether something is wrong with the commit that this code names. */
bool naive_commit_has_fault(const json_t *commit, enum enc_err err, size_t content_len_max);

/** Whether its structure is good: no fault of any code. */
bool naive_commit_is_good(const json_t *commit, size_t content_len_max);

/** The commit hash of a good commit. */
void naive_commit_hash(uint8_t out32[32], const json_t *commit);

/** The id of the enclave that it would create as a Manifest. */
void naive_enclave_id(uint8_t out32[32], const json_t *commit);

/** The rest of step 1, without the question whether from lifts. */
bool naive_commit_has_shape(const json_t *commit);
