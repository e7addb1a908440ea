/** The part of an apply that keeps the rows of ids. Not for outsiders. */
#pragma once

#include "store/engine.h"
#include "store/op.h"

/** Append the entry of op to its row; merge rows that are full. Returns an engine code. */
ENC_MUST_USE int enc_apply_id(const struct enc_store *store, MDB_txn *txn,
                              const struct enc_write *op);
