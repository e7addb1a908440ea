/**
 * One enclave in memory: the actor that sequences it. Runs on one worker at a time; everything in
 * it belongs to its turn. The state in it is always durable: a run stages on copies and the turn
 * that learns of its durability swaps.
 */
#pragma once

#include "actors/actor.h"
#include "proto/manifest.h"
#include "services/exchange.h"
#include "services/inside.h"
#include "services/state.h"

struct enc_run;
struct enc_subs;
struct enc_pushes;
struct enc_gap;

struct enc_node {
    struct enc_host *host;
    struct enc_store *store;
    struct enc_arena arena;       /* of manifest */
    struct enc_arena gates_arena; /* of state.gates; replaced when they change */
    struct enc_state state;
    struct enc_manifest manifest; /* when state.exists */
    struct enc_run *run;          /* at the writer, or NULL */
    struct enc_subs *subs;        /* subscribers.h; NULL = none */
    uint64_t subs_now_ms;         /* the time that subscriptions are judged by in this turn */
    struct enc_pushes *pushes;    /* push.h; NULL = service without push, or nothing to deliver */
    struct enc_gap *gaps;         /* gap.h; those that a Pull is under way for */
    uint64_t bundle_alarm_ms;     /* stored alarm of the open bundle; 0 = none */
};

/** Parse the Manifest's content into the node's own memory. Errors: INVALID_MANIFEST, TOO_LARGE */
ENC_MUST_USE enum enc_err enc_node_adopt_manifest(struct enc_node *node, struct enc_bytes content);

/** Be woken by a mail at due_ms. The alarm is in the store already, or is not worth one. */
void enc_node_set_timer(struct enc_node *node, enum enc_timer_kind kind, uint64_t due_ms);

/** When the open bundle's time is over; 0 = there is none, or it has no timer. */
uint64_t enc_state_bundle_due(const struct enc_state *state, const struct enc_manifest *manifest);

/** The class of all enclaves, for the directory; opaque is the host. */
extern const struct enc_actor_class ENC_NODE_CLASS;
