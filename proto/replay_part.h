/** Between the files of the replay. */
#pragma once

#include "proto/replay.h"

/** What one event is judged and applied by. */
struct enc_replay_case {
    struct enc_replay *replay;
    struct enc_event *event;
    enum enc_type type;
    struct enc_roles roles; /* of its author */
    struct enc_replay_event *target;
};

/** The AC question of the case; roles must outlive it. */
struct enc_ac_input enc_replay_ac_input(const struct enc_replay_case *c,
                                        const struct enc_roles_source *roles);

/** Reads roles from the replay's tree; self is the replay. */
enum enc_err enc_replay_get_roles(void *self, struct enc_roles *out, const uint8_t identity32[32]);

/** What the event does to roles, status, gates and life. Errors: TOO_LARGE, INTERNAL */
ENC_MUST_USE enum enc_err enc_replay_apply(struct enc_replay_case *c);

/** Whether the open bundle's time is over at now_ms. */
bool enc_replay_is_overdue(const struct enc_replay *replay, uint64_t now_ms);

/** Close the open bundle, which has events. False: verdict says why. */
ENC_MUST_USE bool enc_replay_close(struct enc_replay *replay, uint64_t min_ms, uint64_t max_ms);

/** Compare the heads that were expected at the log's size. */
ENC_MUST_USE bool enc_replay_meet_heads(struct enc_replay *replay);

/** Keep a fault at seq; false. */
bool enc_replay_fail(struct enc_replay *replay, enum enc_replay_fault fault, uint64_t seq);

/** The same with two numbers. */
bool enc_replay_fail_numbers(struct enc_replay *replay, enum enc_replay_fault fault, uint64_t want,
                             uint64_t got);
