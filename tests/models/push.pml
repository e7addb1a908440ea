/*
 * One push queue: services/push.c, push_stage.c, push_payload.c, store/push.c. A log that grows, a
 * receiver that fails or whose answers are lost, a store that refuses runs, slots that others take, a
 * process that dies or stops at any step (a stop gives up its POST: for the queue the same).
 *
 *   commit     enc_push_enqueue: the event's row joins its run
 *   stage      enc_push_stage: record_result, stage_payload, stage_alarm
 *   durable    enc_push_wake: settle, set_timer; the turn goes on when is_due
 *   dropped    enc_push_forget
 *   post       fly, the POST, enc_push_fetched
 *   ring       enc_push_timer: retry
 *   load       enc_push_load, after the stored alarm rang or with the next event
 *
 * Holds: payloads come in the order of push_seq, one at a time, without a gap but for those that were
 * given up; what is acknowledged in the store was received; every event is received, or given up
 * after all attempts and then kept for Pull; nothing waits without somebody who will come for it (else
 * the queue stands still before all is done: an invalid end).
 *
 * Weak memory: all of it is the enclave's turn, but the count of slots, which is a bound and carries
 * nothing.
 */
#include "tests/models/edges.pml"

mtype = {s_NONE, s_idle, s_staged, s_flying, s_landed_ok, s_landed_bad, s_acked, s_missed, s_waiting};

#define EVENTS 3
#define ATTEMPTS 2

/* stored */
byte logged, packed, seq, attempt; /* events; those in payloads; the last payload and its failures */
bool acked = true, alarm;
/* in memory */
mtype dest = s_NONE;
bool is_loaded, is_due, is_stalled, has_timer, in_run, goes_on;
/* staged */
byte new_events, payload_end;
bool new_alarm;
/* elsewhere */
byte seen, given_up; /* by the receiver; push_seq */
bool crowded, flight_ok;
byte crashes, drops, misses;

#define PENDING (logged > packed)
#define HAS_SLOT (!crowded)
#define OPEN (seq > 0 && !acked && attempt < ATTEMPTS)

inline set_timer()
{
    if
    :: dest == s_waiting || (dest == s_idle && PENDING && !HAS_SLOT) || is_stalled -> has_timer = true
    :: else
    fi
}

/* node_turn's end: a run when the queues have something to write or a commit does */
inline stage(events)
{
    in_run = true; new_events = events; payload_end = packed;
    is_due = false;
    if
    :: dest == s_landed_ok -> GO(dest, dest, landed_ok, record, acked)
    :: dest == s_landed_bad -> GO(dest, dest, landed_bad, record, missed)
    :: dest == s_idle && PENDING && HAS_SLOT ->
       GO(dest, dest, idle, stage, staged);
       if :: payload_end = logged :: payload_end = packed + 1 fi
    :: else
    fi;
#ifdef ALARM_OF_ROWS_ONLY
    new_alarm = PENDING || events > 0
#else
    new_alarm = dest == s_missed || dest == s_waiting || dest == s_staged || dest == s_flying ||
                PENDING || events > 0
#endif
}

inline settle() /* the run is durable */
{
    logged = logged + new_events;
    alarm = new_alarm;
    is_stalled = false;
    if
    :: dest == s_acked ->
       acked = true; attempt = 0;
       assert(seen >= seq);
       GO(dest, dest, acked, settle, idle)
#ifdef MISSED_IS_LEFT
    :: dest == s_missed -> attempt = ATTEMPTS; GO(dest, dest, missed, give_up, idle)
#endif
    :: dest == s_missed && attempt + 1 < ATTEMPTS -> attempt++; GO(dest, dest, missed, settle, waiting)
    :: dest == s_missed && attempt + 1 == ATTEMPTS ->
       attempt++; given_up = seq; GO(dest, dest, missed, give_up, idle)
    :: dest == s_staged ->
       seq++; packed = payload_end; acked = false; attempt = 0;
       GO(dest, dest, staged, fly, flying)
    :: else
    fi;
    is_due = is_due || (dest == s_idle && PENDING);
    is_due = is_due && HAS_SLOT;
#ifndef CROWD_FORGOTTEN
    set_timer()
#endif
}

inline forget() /* the run was dropped */
{
    if
    :: dest == s_acked -> GO(dest, dest, acked, forget, landed_ok)
    :: dest == s_missed -> GO(dest, dest, missed, forget, landed_bad)
    :: dest == s_staged -> GO(dest, dest, staged, forget, idle)
    :: else
    fi;
    is_due = true; is_stalled = true;
    set_timer()
}

inline unload()
{
    if
    :: dest == s_idle -> GO(dest, dest, idle, free, NONE)
    :: dest == s_flying -> GO(dest, dest, flying, free, NONE)
    :: dest == s_waiting -> GO(dest, dest, waiting, free, NONE)
    :: dest == s_landed_ok -> GO(dest, dest, landed_ok, free, NONE)
    :: dest == s_landed_bad -> GO(dest, dest, landed_bad, free, NONE)
    :: else -> dest = s_NONE /* a process that dies */
    fi;
    is_loaded = false; is_due = false; is_stalled = false; has_timer = false; in_run = false; goes_on = false
}

inline load()
{
    is_loaded = true;
    GO(dest, dest, NONE, init, idle);
    if :: OPEN -> GO(dest, dest, idle, load, waiting) :: else fi;
    is_due = PENDING && !OPEN
}

inline post() /* one POST, and what the receiver makes of it */
{
    assert(seq == seen || seq == seen + 1 || given_up == seq - 1);
    if
    :: seen = seq; flight_ok = true
    :: misses < 2 -> misses++; seen = seq; flight_ok = false /* its answer was lost */
    :: misses < 2 -> misses++; flight_ok = false
    fi;
#ifdef ACKED_WHEN_SENT
    flight_ok = true;
#endif
    if
    :: flight_ok -> GO(dest, dest, flying, land_ok, landed_ok)
    :: else -> GO(dest, dest, flying, land_bad, landed_bad)
    fi;
    is_due = true; goes_on = true
}

inline ring()
{
    has_timer = false; is_stalled = false; goes_on = true;
    if
    :: dest == s_waiting && HAS_SLOT -> GO(dest, dest, waiting, fly, flying)
    :: else
    fi;
    is_due = is_due || (dest == s_idle && PENDING && HAS_SLOT);
    set_timer()
}

#define DONE (logged == EVENTS && !PENDING && !OPEN && (dest == s_idle || dest == s_NONE) && !in_run)

active proctype enclave()
{
    do
    :: atomic { is_loaded && !in_run && logged < EVENTS -> goes_on = false; stage(1) }
    :: atomic { is_loaded && !in_run && goes_on && is_due && !is_stalled -> stage(0) }
    :: atomic { is_loaded && !in_run && goes_on && (!is_due || is_stalled) -> goes_on = false }
    :: atomic { in_run -> in_run = false; goes_on = true; settle() }
    :: atomic { in_run && drops < 2 -> drops++; in_run = false; goes_on = true; forget() }
    :: atomic { is_loaded && !in_run && dest == s_flying -> post() }
    :: atomic { is_loaded && !in_run && has_timer -> ring() }
    :: atomic {
           !is_loaded && (alarm || logged < EVENTS) -> load();
           if :: alarm -> ring() :: else fi /* its mail is the alarm's, or a commit's */
       }
    :: atomic { crashes < 2 && is_loaded -> crashes++; unload() }
    :: atomic { /* retires: idle or waiting, not due */
           is_loaded && !in_run && !goes_on && !is_due && (dest == s_idle || dest == s_waiting) &&
           crashes < 2 -> crashes++; unload()
       }
    :: DONE -> break
    od;
    assert(seen == seq || given_up == seq)
}

active proctype others() /* fill all slots, and leave them */
{
end:
    atomic { is_loaded -> crowded = true }
    crowded = false
}

ltl ends { <> DONE }
