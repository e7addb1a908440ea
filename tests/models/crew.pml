/*
 * Sleeping and waking of a pool's threads: actors/crew.c. Two members, two threads that bring work,
 * work that brings more work.
 *
 *   bring      enc_pool_schedule: push, threads_wake, enc_crew_unlock with the signals it owes
 *   member     member_main, nap, work_once; what a piece of work schedules is_left_to_caller
 *   spurious   a wait that ends without a signal, as POSIX allows
 *
 * Holds: no wake-up is lost. Nothing else wakes a member here, so a lost one leaves work behind and
 * everybody asleep: an invalid end. called is never more than who sleeps.
 *
 * Weak memory: all of it lies under one mutex; a signal is sent after the unlock and carries nothing.
 */
#include "tests/models/edges.pml"

mtype = {s_none, s_some};

mtype uncalled = s_none; /* whether somebody sleeps for whom no signal was or will be sent */
bool locked;
byte work, sleeping, called, waiting, signalled, spurious, bringers = 2, extra = 2;

#ifndef STRANGERS_LEAVE
#define STRANGERS_LEAVE false
#endif
#define LOCK atomic { !locked -> locked = true }
#define UNCALLED (sleeping > called)

inline lift() /* a sleeper is up, with the lock */
{
    sleeping--;
#ifndef CALLED_STAYS
    called = (called > 0 -> called - 1 : 0);
#endif
    if
    :: uncalled == s_none -> GO(crew, uncalled, none, up, none)
    :: uncalled == s_some && UNCALLED -> GO(crew, uncalled, some, up, some)
    :: uncalled == s_some && !UNCALLED -> GO(crew, uncalled, some, up, none)
    fi
}

inline nap()
{
    sleeping++;
    if
    :: uncalled == s_none -> GO(crew, uncalled, none, nap, some)
    :: uncalled == s_some -> GO(crew, uncalled, some, nap, some)
    fi
}

inline wake(is_left) /* with the lock */
{
    if
    :: uncalled == s_none -> GO(crew, uncalled, none, skip, none)
    :: uncalled == s_some && is_left -> GO(crew, uncalled, some, leave, some)
    :: uncalled == s_some && !is_left ->
       called++; owed = 1;
       if
       :: UNCALLED -> GO(crew, uncalled, some, call, some)
       :: else -> GO(crew, uncalled, some, call, none)
       fi
    fi;
    assert(called <= sleeping)
}

inline unlock_and_signal() /* a signal reaches one who waits, or nobody */
{
    locked = false;
    if
    :: owed -> atomic { owed = 0; if :: waiting -> waiting--; signalled++ :: else fi }
    :: else
    fi
}

active [2] proctype bring()
{
    byte owed;
    LOCK;
    atomic { work++; wake(STRANGERS_LEAVE) }
    unlock_and_signal();
    LOCK;
    atomic { work++; wake(STRANGERS_LEAVE) }
    unlock_and_signal();
    bringers--
}

active [2] proctype member()
{
    byte owed;
    LOCK;
    do
    :: work > 0 ->
       work--;
       locked = false;
       if /* the work schedules something itself */
       :: extra > 0 ->
          LOCK;
          atomic { if :: extra > 0 -> extra--; work++; wake(work <= 1) :: else fi }
          unlock_and_signal()
       :: skip
       fi;
       LOCK
    :: work == 0 && bringers == 0 ->
       locked = false;
       break /* nobody needs the others any more, so they are told to end */
    :: work == 0 && bringers > 0 ->
#ifdef NAPS_UNLOCKED
       locked = false;
       LOCK;
#endif
       atomic { nap(); waiting++; locked = false }
       if
       :: atomic { signalled > 0 -> signalled-- }
       :: atomic { waiting > 0 && spurious < 2 -> waiting--; spurious++ }
       :: atomic { bringers == 0 && work == 0 && waiting > 0 -> waiting-- } /* threads_stop */
       fi;
       LOCK;
       atomic { lift() }
    od
}

ltl ends { <> (bringers == 0 && work == 0) }
