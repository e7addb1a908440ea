/*
 * The circuit breaker of one host: net/breaker.c, net/fetch.c. Three who POST to it again and again.
 *
 *   admit, rest    enc_breaker_admits, begin_or_rest
 *   good, bad      enc_breaker_note, fail, from complete
 *   clock          cooldown_ms are over
 *
 * Holds: while it is open nobody is admitted before the cooldown is over, and then one; while it is
 * half open that one is under way, so half open ends; a host that answers is closed again.
 *
 * Taken for granted: cooldown_ms is longer than a POST may take, as the defaults are (30 s, 10 s).
 * Where it is shorter, the late failure of an older POST opens it once more while the probe is under
 * way, and after another cooldown there are two: SHORT_COOLDOWN shows that.
 *
 * Weak memory: one thread, the first loop.
 */
#include "tests/models/edges.pml"

mtype = {s_closed, s_open, s_half_open};
mtype = {NOWHERE, UNDER_WAY, PROBING};

#define POSTS 3
#define FAILURES 2

mtype breaker = s_closed, post[POSTS] = NOWHERE;
byte failures, probes;
bool is_cooled;

#define NONE_UNDER_WAY (post[0] != UNDER_WAY && post[1] != UNDER_WAY && post[2] != UNDER_WAY)
#ifdef SHORT_COOLDOWN
#define COOLED true
#else
#define COOLED (NONE_UNDER_WAY && probes == 0)
#endif
#ifdef HALF_OPEN_ADMITS
#define IS_HALF_OPEN false
#else
#define IS_HALF_OPEN (breaker == s_half_open)
#endif

inline admit()
{
    if
    :: breaker == s_closed -> GO(breaker, breaker, closed, admit, closed); post[me] = UNDER_WAY
    :: breaker == s_open && !is_cooled -> GO(breaker, breaker, open, rest, open)
    :: breaker == s_open && is_cooled ->
       GO(breaker, breaker, open, admit, half_open);
       post[me] = PROBING; probes++
    :: IS_HALF_OPEN -> GO(breaker, breaker, half_open, rest, half_open)
    :: breaker == s_half_open && !IS_HALF_OPEN -> post[me] = PROBING; probes++
    fi;
    assert(probes <= 1)
}

inline good()
{
    failures = 0;
    if
    :: breaker == s_closed -> GO(breaker, breaker, closed, good, closed)
    :: breaker == s_open -> GO(breaker, breaker, open, good, closed)
    :: breaker == s_half_open -> GO(breaker, breaker, half_open, good, closed)
    fi
}

inline bad()
{
    failures = (failures < FAILURES -> failures + 1 : failures);
    if
    :: breaker == s_closed && failures < FAILURES -> GO(breaker, breaker, closed, bad, closed)
    :: breaker == s_closed && failures == FAILURES ->
       GO(breaker, breaker, closed, bad, open); is_cooled = false
    :: breaker == s_open -> GO(breaker, breaker, open, bad, open)
    :: breaker == s_half_open -> GO(breaker, breaker, half_open, bad, open); is_cooled = false
    fi
}

active [POSTS] proctype send()
{
    byte me = _pid;
    do
    :: atomic { post[me] == NOWHERE -> admit() }
    :: atomic {
           post[me] != NOWHERE ->
           probes = probes - (post[me] == PROBING);
#ifdef PROBE_NOT_NOTED
           if
           :: post[me] == PROBING
           :: post[me] != PROBING -> if :: good() :: bad() fi
           fi;
#else
           if :: good() :: bad() fi;
#endif
           post[me] = NOWHERE
       }
    od
}

active proctype clock()
{
    do
    :: atomic { breaker == s_open && !is_cooled && COOLED -> is_cooled = true }
    od
}

ltl half_open_ends { [] (breaker == s_half_open -> <> (breaker != s_half_open)) }
ltl one_is_under_way { [] (breaker == s_half_open -> probes == 1) }
ltl open_ends { [] (breaker == s_open -> <> (breaker != s_open)) }
