/** Filters, read off protocol.md 8.4 over jansson's tree: which are good, what they match. */
#pragma once

#include "proto/event.h"
#include "tests/fuzz/naive/tree.h"

/** Whether a filter is good. filter NULL is the empty one. */
bool naive_filter_is_good(const json_t *filter);

/** Whether a good filter takes the event in all members but status, limit and reverse. */
bool naive_filter_fits(const json_t *filter, const struct enc_event *event);

/** Whether a good filter takes events of this status. */
bool naive_filter_has_status(const json_t *filter, enum enc_event_status status);
