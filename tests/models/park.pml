/*
 * A turn that waits for the writer: actors/actor.c, lane.c, services/node.c, run.c, writer.c. Two
 * actors, each with two runs, two workers, one writer.
 *
 *   worker     run_turn: begin_turn; node_turn: enc_run_finish when resumed, then enc_run_submit,
 *              enc_lane_post; follow_park
 *   writer     lane's work, enc_writer_work: all that waits as one batch; finish_all, by
 *              enc_actor_resume or enc_actor_resume_here
 *
 * Holds: a run is finished once, after its outcome and by who has the right to run its actor; a
 * resume before the park is not lost; nobody touches a run that he resumed; all ends.
 *
 * Weak memory. parking changes by one exchange and one compare-exchange, which have one order. What
 * they must carry are the actor's state and the run, so for each of both a set of bits says which
 * threads and locations have all that was written (see mailbox.pml).
 */
#include "tests/models/edges.pml"

mtype = {s_nobody, s_held, s_queued, s_running, s_parked};
mtype = {NOT_RUNNING, RUNNING, PARKED, RESUMED};

#define ACTORS 2
#define WRITER 4
#define PARKING 8
#define QUEUE 16
#define LANE 32

mtype right[ACTORS], parking[ACTORS];
chan turns = [ACTORS] of {byte}; /* the pool's queue */
chan lane = [ACTORS] of {byte};
byte left[ACTORS] = 2, ended;
bool lives[ACTORS], known[ACTORS]; /* the run; its outcome */
byte state[ACTORS], run_of[ACTORS]; /* who has the newest bytes of both */

#define HAND(what, who, place) what = (what & (who) -> what | (place) : what)
#define USE(what, who) assert(what & (who)); what = (who)
#define RELEASE(who, place) HAND(state[a], who, place); HAND(run_of[a], who, place)
#define ACQUIRE(who, place) HAND(state[a], place, who); HAND(run_of[a], place, who)

#ifdef PARK_RELAXED
#define PARK_RELEASE(who)
#else
#define PARK_RELEASE(who) RELEASE(who, PARKING);
#endif
#ifdef MISS_RELAXED
#define MISS_ACQUIRE(who)
#else
#define MISS_ACQUIRE(who) ACQUIRE(who, PARKING);
#endif

#define PASS(who, from) GO(right, right[a], from, queue, queued); RELEASE(who, QUEUE); turns!a

inline follow_park(who)
{
    atomic {
        GO(right, right[a], running, park, parked);
        if
        :: parking[a] == RUNNING -> parking[a] = PARKED; PARK_RELEASE(who)
        :: parking[a] == RESUMED ->
           MISS_ACQUIRE(who)
           GO(right, right[a], parked, early, held);
           PASS(who, held)
        fi
    }
}

/* begin_turn, the turn, follow. What the turn does with the run it handed over: nothing. */
inline run_turn(who)
{
    USE(state[a], who);
    resumed = (parking[a] == RESUMED);
    parking[a] = RUNNING;
    if
    :: resumed ->
       atomic {
           assert(lives[a] && known[a]);
           USE(run_of[a], who);
           lives[a] = false; known[a] = false; left[a]--
       }
    :: else
    fi;
    if
    :: left[a] > 0 ->
       atomic { lives[a] = true; run_of[a] = who }
       atomic { RELEASE(who, LANE); lane!a }
       atomic { USE(state[a], who) } /* settle */
       follow_park(who)
    :: else ->
       atomic { parking[a] = NOT_RUNNING; right[a] = s_nobody; ended++ }
    fi
}

active [2] proctype worker()
{
    byte a;
    bool resumed;
#define ME (1 << _pid)
    do
    :: atomic { turns?a -> GO(right, right[a], queued, begin, running); ACQUIRE(ME, QUEUE) }
       run_turn(ME)
    :: ended == ACTORS -> break
    od
}

/* enc_actor_resume, or the turn on this thread */
inline finish()
{
#ifdef RESUMED_BEFORE_OUTCOME
    skip;
#else
    atomic { USE(run_of[a], WRITER); known[a] = true }
#endif
    atomic {
#ifdef RESUME_LOOKS_FIRST
        early = (parking[a] == RUNNING)
    }
    atomic {
        was_parked = !early;
#else
        was_parked = (parking[a] == PARKED);
#endif
        assert(parking[a] == RUNNING || parking[a] == PARKED);
        parking[a] = RESUMED;
        RELEASE(WRITER, PARKING);
        if
        :: was_parked -> ACQUIRE(WRITER, PARKING); GO(right, right[a], parked, resume, held)
        :: else
        fi
    }
    if
    :: was_parked -> atomic { PASS(WRITER, held) }
    :: was_parked -> GO(right, right[a], held, begin, running); run_turn(WRITER)
    :: else
    fi
}

active proctype writer()
{
    byte a, count, batch[ACTORS];
    bool resumed, was_parked, early;
    do
    :: atomic {
           nempty(lane) -> count = 0;
           do
           :: lane?a -> ACQUIRE(WRITER, LANE); batch[count] = a; count++
           :: empty(lane) -> break
           od
       }
       do
       :: count > 0 ->
          count--; a = batch[count];
          finish();
#ifdef RUN_READ_AFTER_RESUME
          assert(lives[batch[count]])
#endif
       :: else -> break
       od
    :: ended == ACTORS -> break
    od
}

init
{
    byte a;
    atomic {
        for (a : 0 .. ACTORS - 1) {
            parking[a] = NOT_RUNNING; right[a] = s_queued; state[a] = QUEUE; turns!a
        }
    }
}

ltl ends { <> (ended == ACTORS) }
