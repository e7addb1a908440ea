/**
 * A subscription that is asked for by a query string, for those that cannot open a WebSocket:
 * server-sent events.
 *
 *   from=<seq>       only events from this one on
 *   type=<t>,<t>     only events of these types
 *   query=<frame>    instead of both a whole Query frame, as over a WebSocket; this is how a
 *                    session and a seal are given
 *
 * Last-Event-ID is the seq behind which the stream goes on, whatever else is asked for.
 */
#pragma once

#include "services/exchange.h"

/**
 * Make the Query frame that exchange->body, a query string, stands for; it becomes the body. Any
 * thread. Errors: INVALID_QUERY, TOO_LARGE
 */
ENC_MUST_USE enum enc_err enc_stream_ask(struct enc_exchange *exchange,
                                         struct enc_bytes last_event_id);

/** A stream is one walk upwards from its first event: a limit would be a gap, the other direction
 * could not be resumed. Errors: INVALID_FILTER (reverse) */
ENC_MUST_USE enum enc_err enc_stream_widen(struct enc_filter *filter);
