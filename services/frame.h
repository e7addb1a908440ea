/** One serialised WebSocket frame: immutable, counted, shared by all its receivers. Any thread. */
#pragma once

#include "proto/base/bytes.h"
#include "proto/base/check.h"

struct enc_frame;

/** A frame holding a copy of bytes, with one reference; NULL when memory is short. */
ENC_MUST_USE struct enc_frame *enc_frame_new(struct enc_bytes bytes);

/** One reference more; returns frame. */
struct enc_frame *enc_frame_hold(struct enc_frame *frame);

/** One reference less; the last one frees. NULL is ignored. */
void enc_frame_drop(struct enc_frame *frame);

/** The same frame in another form, which lives as long as frame; NULL when nobody has made one. */
struct enc_frame *enc_frame_twin(const struct enc_frame *frame);

/** Give frame its twin, whose reference passes over. Whoever comes first wins: returns the twin
 * that frame has from now on, and drops the other. */
struct enc_frame *enc_frame_twin_set(struct enc_frame *frame, struct enc_frame *twin);

/** The payload; valid while a reference is held. */
struct enc_bytes enc_frame_bytes(const struct enc_frame *frame);
