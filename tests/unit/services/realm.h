/**
 * An enclave of any service on a rig, with a random history, a subscriber who may read all of it,
 * and as many commits as one likes that a given step must refuse.
 */
#pragma once

#include "host_fixture.h"

enum { REALM_ACCEPTED_MAX = 64 };

struct realm {
    struct rig *rig;
    const struct enc_service *of;
    unsigned service;
    const uint8_t *enclave32;
    const uint8_t *foreign32; /* an enclave of another service */
    struct enc_conn *conn;    /* the Owner's, subscribed to everything */
    uint64_t random;
    struct enc_bytes accepted[REALM_ACCEPTED_MAX]; /* bodies, the last ones */
    size_t accepted_count;
    uint8_t target32[32]; /* an event that its author may update */
    bool has_target;
};

/** A host with an enclave of this service; rig is initialised here. */
void realm_open(struct realm *realm, struct rig *rig, unsigned service, uint64_t seed);

/** That many commits that the service accepts, of all kinds that it has. */
void realm_live(struct realm *realm, size_t count);

/** A commit that this step and no step before it refuses, different every time. */
struct enc_bytes realm_bad(struct realm *realm, unsigned step);

/** Whatever can be seen of a host from outside and from below. */
struct sight {
    uint8_t rows32[32]; /* every row of every table, push queues among them */
    size_t frames;      /* that reached the subscriber */
    uint64_t fetches;
    uint64_t transactions;
    uint64_t timers;
};
struct sight realm_look(const struct realm *realm);
bool sight_equal(const struct sight *a, const struct sight *b);

/** Let the alarm of the enclave ring, as if it had been set. */
void realm_alarm(struct realm *realm);

/** The number of the service of that name; fails the test when there is none. */
unsigned service_number(const char *name);
