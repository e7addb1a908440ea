/*
 * The end of the process: net/control.c, main.c, loop.c, call.c, fetch.c, actors/pool.c, lane.c,
 * services/host.c. Two requests, of which one waits for the writer, a POST to others, a worker, the
 * writer, a loop, and who stops them.
 *
 *   client     a request on a connection that is open; the cut takes the connection, not the call
 *   worker     a job or turn under a ticket: enc_pool_enter, run_job, enc_call_reply, enc_pool_leave
 *   writer     a run's end on the lane's thread, under its actor's ticket
 *   fetch      on_done of a shipment: mail to the enclave, or dropped when the pool drains
 *   loop       on_drain_step; run_inbox and deliver; enc_loop_join runs the inbox once more
 *   control    enc_control_run, stop_node, close_node
 *
 * Holds: each call is answered once, before its loop is joined; nothing is posted to a loop that is
 * joined; nothing touches the pool once it is freed; who finds the pool quiet sees all that was done
 * under its tickets; it all ends, also when a client never goes.
 *
 * Weak memory. tickets is one word: CLOSED and the count cannot be seen apart. Who waits for zero
 * sleeps under the crew's lock and the last to leave announces under it, so between its look and its
 * sleep no announcement is lost. done_shown is the release of enc_pool_leave and the acquire of
 * enc_pool_is_quiet.
 */
#include "tests/models/edges.pml"

mtype = {s_NONE, s_open, s_closing, s_quiet, s_draining, s_drained, s_stopping, s_joined, s_serving,
         s_cut, s_ended, s_alone, s_stopped};

mtype pool = s_open, loop = s_NONE, node = s_NONE;
#define THREADS_OF_LOOP 4 /* the loop, and what its thread also does here */
byte tickets, done, done_shown;
chan jobs = [3] of {byte};
chan lane = [3] of {byte};
chan inbox = [3] of {byte}; /* answers on their way to the loop */
byte calls, answered, asked, over;
bool is_freed, fetch_given_up, stubborn;

#ifdef LEAVE_RELAXED
#define SHOW
#else
#define SHOW done_shown = done;
#endif

inline enter() /* sets may */
{
    atomic {
        assert(!is_freed);
        if
        :: pool == s_open -> GO(pool, pool, open, enter, open); tickets++; may = true
        :: pool == s_closing -> GO(pool, pool, closing, refuse, closing); may = false
        :: pool == s_quiet -> GO(pool, pool, quiet, refuse, quiet); may = false
        fi
    }
}

inline enter_again()
{
    atomic {
        if
        :: pool == s_open -> GO(pool, pool, open, again, open)
        :: pool == s_closing -> GO(pool, pool, closing, again, closing)
        fi;
        tickets++
    }
}

inline leave()
{
    atomic {
        assert(!is_freed);
        done++; SHOW
        tickets--;
        if
        :: pool == s_open -> GO(pool, pool, open, leave, open)
        :: pool == s_closing && tickets > 0 -> GO(pool, pool, closing, leave, closing)
        :: pool == s_closing && tickets == 0 -> GO(pool, pool, closing, leave, quiet)
        fi
    }
}

inline reply(call)
{
    atomic {
        if
        :: loop == s_open -> GO(loop, loop, open, post, open)
        :: loop == s_draining -> GO(loop, loop, draining, post, draining)
        :: loop == s_drained -> GO(loop, loop, drained, post, drained)
        :: loop == s_stopping -> GO(loop, loop, stopping, post, stopping)
        :: else -> assert(false)
        fi;
        inbox!call
    }
}

active [2] proctype client()
{
    bool may;
    byte me = _pid;
    if
    :: atomic { loop == s_open -> calls++; asked++ }
       enter();
       if :: may -> jobs!me :: else -> reply(me) fi
    :: loop != s_open && loop != s_NONE /* came too late: no connection */
    fi;
    over++
}

active proctype fetch()
{
    bool may;
    if
    :: fetch_given_up
    :: loop == s_open || loop == s_draining || loop == s_drained
    fi;
    if
    :: atomic { loop == s_open -> GO(loop, loop, open, post, open) } /* a worker brings the POST */
    :: atomic { loop == s_draining -> GO(loop, loop, draining, post, draining) }
    :: atomic { loop == s_drained -> GO(loop, loop, drained, post, drained) }
    :: loop == s_NONE || loop == s_stopping || fetch_given_up
    fi;
    enter();
    if :: may -> leave() :: else fi;
    over++
}

active proctype worker()
{
    byte call;
    do
    :: jobs?call ->
       if
       :: call == 0 -> enter_again(); lane!call; leave() /* an actor parks, its ticket stays */
       :: else -> reply(call); leave()
       fi
    :: is_freed -> break
    od
}

active proctype writer()
{
    byte call;
    do
    :: lane?call -> reply(call); leave()
    :: is_freed -> break
    od
}

inline run_inbox()
{
    do
    :: inbox?call -> calls--; answered++
    :: empty(inbox) -> break
    od;
    skip
}

active proctype loop_thread()
{
    byte call;
    if
    :: atomic { GO(loop, loop, NONE, start, open); GO(loop, loop, open, free, NONE) } /* a start that is refused */
    :: skip
    fi;
    GO(loop, loop, NONE, start, open);
    do
    :: atomic { inbox?call -> calls--; answered++ }
    :: atomic { loop == s_draining && calls == 0 && !stubborn -> GO(loop, loop, draining, drained, drained) }
    :: atomic { loop == s_stopping -> over++; break }
    od
}

inline drain()
{
    atomic {
        if
        :: pool == s_open && tickets > 0 -> GO(pool, pool, open, drain, closing)
        :: pool == s_open && tickets == 0 -> GO(pool, pool, open, drain, quiet)
        :: pool == s_quiet -> GO(pool, pool, quiet, drain, quiet)
        fi
    }
    pool == s_quiet;
    assert(done_shown == done)
}

active proctype control()
{
    byte call;
    atomic { loop == s_open -> GO(node, node, NONE, start, serving) }
    if :: stubborn = true :: skip fi; /* a client that never goes */
    GO(node, node, serving, drain, draining);
    if
    :: GO(loop, loop, open, drain, draining)
    :: skip /* a loop that is stopped at once, as tests do */
    fi;
    if
    :: loop == s_open
    :: loop == s_drained
    :: loop == s_draining -> GO(node, node, draining, cut, cut); stubborn = false
    fi;
    atomic {
        if
        :: node == s_draining -> GO(node, node, draining, ended, ended)
        :: else -> GO(node, node, cut, ended, ended)
        fi
    }
    atomic { GO(node, node, ended, give_up, alone); fetch_given_up = true }
#ifdef STOPS_BEFORE_DRAIN
    GO(node, node, alone, quiet, quiet);
#else
    drain();
    GO(node, node, alone, quiet, quiet);
#endif
    atomic {
        GO(node, node, quiet, stop, stopped);
        if
        :: loop == s_open -> GO(loop, loop, open, stop, stopping)
        :: loop == s_draining -> GO(loop, loop, draining, stop, stopping)
        :: loop == s_drained -> GO(loop, loop, drained, stop, stopping)
        fi
    }
#ifdef FREED_BEFORE_JOIN
    is_freed = true;
#endif
    over == THREADS_OF_LOOP;
    atomic { run_inbox(); GO(loop, loop, stopping, join, joined) }
    drain();
    is_freed = true;
    assert(calls == 0 && answered == asked);
    GO(loop, loop, joined, free, NONE);
    GO(node, node, stopped, free, NONE)
}

ltl ends { <> (is_freed && node == s_NONE) }
