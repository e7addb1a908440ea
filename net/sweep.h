/**
 * What h2o has no timer for: requests that dribble in, answers nobody takes, idle connections
 * while draining.
 */
#pragma once

#include "net/loop.h"

/** Cut connections whose request or answer takes too long. Every tick; loop thread. */
void enc_sweep_slow(struct enc_loop *loop);

/** Close HTTP/1 connections between two requests. While draining; loop thread. */
void enc_sweep_idle(struct enc_loop *loop);
