/**
 * Public keys that were lifted lately (protocol.md 1.1): who writes often pays for the square root
 * once. Any number of threads; nobody waits: an entry that is in use is as good as absent.
 */
#pragma once

#include "proto/schnorr.h"

struct enc_points;

/** An empty cache; NULL when memory is short. */
ENC_MUST_USE struct enc_points *enc_points_new(void);
void enc_points_free(struct enc_points *points);

/** As enc_point_lift, and remembered when it succeeds. */
ENC_MUST_USE bool enc_points_lift(struct enc_points *points, struct enc_point *out,
                                  const uint8_t pub32[32]);
