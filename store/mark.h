/**
 * A data directory may be held: a file DIR/held says why no node may sequence on it. Backups carry
 * one, so that a copy of the past is not taken for the present before somebody has looked.
 */
#pragma once

#include "store/data.h"

enum { ENC_HELD_LEN_MAX = 400 };

/**
 * Hold dir for this reason, one line, cut at ENC_HELD_LEN_MAX; replaces an earlier one. Durable
 * when it returns.
 *
 * Errors: DIRECTORY
 */
ENC_MUST_USE enum enc_store_fault enc_data_hold(struct enc_store_note *note, const char *dir,
                                                const char *why);

/** Why dir is held, "" when it is not. Errors: DIRECTORY */
ENC_MUST_USE enum enc_store_fault enc_data_held(char why[ENC_HELD_LEN_MAX],
                                                struct enc_store_note *note, const char *dir);

/** Let it go, durably. Nobody else may have it open. Errors: ACCESS, LOCKED, DIRECTORY */
ENC_MUST_USE enum enc_store_fault enc_data_let_go(struct enc_store_note *note, const char *dir);
