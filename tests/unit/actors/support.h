/** What the tests of this room share: a world without threads, and actors that note what they do.
 */
#pragma once

#include "actors/directory.h"
#include "actors/lane.h"
#include "actors/metrics.h"
#include "actors/sim.h"
#include "actors/timer.h"

enum { NOTES_MAX = 4096 };

/** What happened, in order: one character and a number each. */
struct notes {
    size_t count;
    struct {
        char what;
        uint64_t number;
    } rows[NOTES_MAX];
};

void note(struct notes *notes, char what, uint64_t number);

/** How often what was noted; with number only that. */
size_t noted(const struct notes *notes, char what);
size_t noted_number(const struct notes *notes, char what, uint64_t number);

/** "a1 b2 c3": all notes as text, valid until the next call. */
const char *told(const struct notes *notes);

/** A simulation with one pool, and how its actors behave. */
struct world {
    struct enc_sim *sim;
    struct enc_pool *pool;
    struct notes notes;
    enum enc_err open_err;  /* what open answers */
    bool keeps;             /* may_retire says no */
    uint32_t take_max;      /* mails a turn takes, 0 = all */
    bool parks;             /* every turn that took mail parks */
    bool resumes_early;     /* ... after having resumed itself already */
    void (*in_turn)(void);  /* called once, at the end of the next turn */
    void (*in_close)(void); /* called once, at the next close */
    struct enc_actor *last; /* actor of the last turn */
};

/** Notes: o open, t turn (mails offered), r resumed turn, m mail taken (kind), x refused, q asked
 * to retire, c close. Numbers of o and c: first byte of the key. */
extern const struct enc_actor_class RECORDER;

void world_open(struct world *world, uint64_t seed);
void world_close(struct world *world);

/** Step until nothing can run; returns the number of steps. */
size_t world_run(struct world *world);

struct enc_actors_counts world_counts(struct world *world);

/** A mail of the heap, freed by RECORDER. */
struct enc_mail *mail_new(uint32_t kind);
struct enc_mail *mail_new_pending(uint32_t kind);

/** A key whose first byte is n. */
const uint8_t *key_of(uint8_t n);

/** Post a new mail of this kind to an actor, or to a key of a directory; a refused mail is freed.
 */
enum enc_err post_kind(struct enc_actor *actor, uint32_t kind);
enum enc_err post_key(struct enc_directory *directory, uint8_t n, uint32_t kind);

/** A directory over the world's pool, of RECORDER. */
struct enc_directory *directory_of(struct world *world, uint32_t actors_max, uint32_t idle_ms);
