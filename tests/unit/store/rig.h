/** A real data directory for one test, and shorthand for what every test does with it. */
#pragma once

#include "store/store.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <sys/types.h>

struct rig {
    char root[64];      /* made by mkdtemp, removed by rig_fini */
    char dir[80];       /* the data directory in it */
    uint8_t node32[32]; /* the node's key */
    struct enc_data_config config;
    struct enc_store_note note;
    struct enc_data *data;
    struct enc_store *store; /* shard 0 */
    struct enc_arena arena;
    struct enc_writeset set;
    struct enc_apply_facts facts;
    struct enc_snap *snap;
};

/** A temporary place and a configuration for it; nothing opened yet. */
void rig_init(struct rig *rig);

/** Open with the configuration as it is now. */
enum enc_store_fault rig_try(struct rig *rig);
void rig_open(struct rig *rig);
void rig_close(struct rig *rig);

/** Close and remove everything. */
void rig_fini(struct rig *rig);

/** An empty rig.set. */
void rig_begin(struct rig *rig);

/** Apply rig.set alone. */
enum enc_outcome rig_try_apply(struct rig *rig);
void rig_apply(struct rig *rig);

/** Close rig.snap, if any, and open a new one. */
struct enc_snap *rig_look(struct rig *rig);

/** rig.set gets an enclave, its head, and count events of type "Post" from seq on. */
void rig_put_enclave(struct rig *rig, uint64_t ord);
void rig_put_events(struct rig *rig, uint64_t ord, uint64_t seq, uint64_t count);

/** 32 bytes that are the same for the same arguments and different for others. */
const uint8_t *rig_id(char kind, uint64_t ord, uint64_t number);

/** Path of a file in the data directory; the last four stay valid. */
const char *rig_path(const struct rig *rig, const char *file);

/** Write a whole file. */
void rig_write(const struct rig *rig, const char *file, const char *text);

/** The state of the shard has no flaw. */
void rig_check_sound(struct rig *rig);

/** fork, with a child that dies with its parent: nothing outlives a test that failed. */
pid_t rig_fork(void);

/** mistake, in a child, ends in an abort; so the test itself can still clean up. */
void rig_must_abort(void (*mistake)(void));

#define rig_ok(call) cr_assert_eq((call), ENC_ERR_OK)
