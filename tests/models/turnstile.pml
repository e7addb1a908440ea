/*
 * One through at a time per key: actors/turnstile.c, and services/bootstrap.c who comes again.
 * Three who come with one key, room for one to wait.
 *
 *   enter      enc_turnstile_enter: find, go_through or wait_for, under one lock
 *   leave      enc_turnstile_leave: who waited is handed back and comes again
 *
 * Holds: never two inside with one key; who waits is handed back; each gets through or is told BUSY.
 *
 * Weak memory: everything is under one mutex.
 */
#include "tests/models/edges.pml"

mtype = {s_NONE, s_inside, s_waiting, s_taken};

#define PASSES 3
#define WAITING_MAX 1

mtype pass[PASSES] = s_NONE, key = s_NONE;
chan waiting = [PASSES] of {byte};
bool back[PASSES];
byte inside, over, through;

inline enter()
{
    atomic {
#ifdef LOOKS_BEFORE_LOCK
        is_free = (key == s_NONE)
    }
    atomic {
        if
        :: is_free -> GO(key, key, NONE, enter, taken); GO(pass, pass[me], NONE, first, inside)
        :: !is_free && len(waiting) < WAITING_MAX ->
#else
        if
        :: key == s_NONE -> GO(key, key, NONE, enter, taken); GO(pass, pass[me], NONE, first, inside)
        :: key != s_NONE && len(waiting) < WAITING_MAX ->
#endif
           GO(pass, pass[me], NONE, wait, waiting);
           waiting!me
        :: key != s_NONE && len(waiting) >= WAITING_MAX -> GO(pass, pass[me], NONE, full, NONE); busy = true
        fi
    }
}

inline take_back()
{
    do
    :: waiting?other -> GO(pass, pass[other], waiting, back, NONE); back[other] = true
    :: empty(waiting) -> break
    od;
    skip
}

inline leave()
{
#ifdef LEAVES_IN_TWO_STEPS
    atomic { take_back() }
    atomic {
#else
    atomic {
        take_back();
#endif
        GO(pass, pass[me], inside, leave, NONE);
        GO(key, key, taken, leave, NONE)
    }
}

active [PASSES] proctype come()
{
    byte other;
    byte me = _pid;
    bool busy, is_free;
    do
    :: enter();
       if
       :: busy -> break
       :: !busy && pass[me] == s_inside ->
          inside++;
          assert(inside == 1);
          inside--;
          leave();
          through++;
          break
       :: else ->
          atomic { back[me] -> back[me] = false } /* a job of its own, that comes again */
       fi
    od;
    over++
}

ltl ends { <> (over == PASSES && through > 0) }
