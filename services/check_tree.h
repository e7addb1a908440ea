/** The state tree's part of the check. */
#pragma once

#include "services/state.h"
#include "store/store.h"

/**
 * Walk the stored tree of an enclave: every node readable and below its parent, every hash the hash
 * of what hangs there, every leaf in the rebuilt tree with the same value,
 * and no node beside them. That there is no leaf
 * less is for the caller: state's count and hash equal the rebuilt tree's.
 *
 * Returns: *flaw NULL or what is wrong first
 * Errors:  those of the rebuilt tree, unchanged
 */
ENC_MUST_USE enum enc_err enc_check_tree(const char **flaw, struct enc_snap *snap,
                                         const struct enc_state *state, struct enc_smt *rebuilt);
