/** Repairs of libh2o 2.2.5 that have to be made from outside; see README, defects of h2o. */
#pragma once

struct enc_loop;

#include "proto/base/check.h"

#include <stdbool.h>

/**
 * Tell libh2o of writes that left at once. Loop thread, once a turn of the loop, before it sleeps.
 */
void enc_mend_deliver(struct enc_loop *loop);

/** Whether libh2o calls ours instead of libuv's uv_write. Any thread. */
ENC_MUST_USE bool enc_mend_is_in_place(void);
