/*
 * Who owns an actor: actors/mailbox.c, actor.c, pool.c, directory.c. Two posters, one who prepares a
 * mail, two workers, one sweep.
 *
 *   post       enc_mailbox_post under the stripe's lock, enc_actor_posted, pass_on
 *   prepare    enc_mail_ready
 *   worker     run_turn: begin_turn, gather, count_ready, the turn, follow_done
 *   sweep      claim_oldest; the turn that follows ends in retire instead of give_up
 *
 * Holds: one owner at a time; the mail of an actor is offered in the order of the posts, none before
 * it is ready; no wake-up is lost (all mail is handled, else the workers wait for ever: an invalid
 * end); nothing is posted to an actor that is gone.
 *
 * Weak memory. The word is one atomic that only read-modify-writes change. Those have one order on
 * every machine, so a store buffer adds no schedule (there is no store of one thread that the load of
 * another could pass: no Dekker). What weak memory could do is to let an owner see old bytes. So
 * fresh says which threads, and which locations, carry all that was written to the actor so far:
 * a release hands it from thread to location, an acquire back, a lock both, a relaxed one nothing.
 * Whoever writes must have it, and takes it from all others. The same for the bytes of a mail.
 */
#include "tests/models/edges.pml"

mtype = {s_NONE, s_nobody, s_held, s_queued, s_running, s_awaited};
mtype = {s_idle, s_empty, s_list, s_pending, s_ready};

#define MAILS 3 /* mail 0 is prepared; 1 and 2 are of one sender */
#define POSTER(n) (1 << n)
#define PREPARER 4
#define SWEEPER 8
#define WORKER(n) (16 << n)
#define WORD 64
#define QUEUE 128
#define READINESS(mail) (256 << mail)

mtype word = s_idle;
mtype right = s_NONE;
mtype readiness[MAILS];
chan posted = [MAILS] of {byte}; /* the list behind the word */
chan kept = [MAILS] of {byte};
byte order[MAILS];
byte posts, handled, turns;
bool leaving, shown, swept;
short fresh;

#define ACQUIRE(who, place) fresh = (fresh & (place) -> fresh | (who) : fresh)
#define RELEASE(who, place) fresh = (fresh & (who) -> fresh | (place) : fresh)
#define USE(who) assert(fresh & (who)); fresh = (who)

#ifdef GIVE_UP_RELAXED
#define GIVE_UP_RELEASE(who)
#else
#define GIVE_UP_RELEASE(who) RELEASE(who, WORD);
#endif
#ifdef POST_RELEASES_ONLY
#define POST_ACQUIRE(who)
#else
#define POST_ACQUIRE(who) ACQUIRE(who, WORD);
#endif
#ifndef PENDING_PASSES
#define PENDING_PASSES 0
#endif
#ifndef READY_RELEASES
#define READY_RELEASES 1
#endif

/* The crew's lock. */
#define PASS(who, from) \
    GO(right, right, from, queue, queued); \
    RELEASE(who, QUEUE); \
    turns++; \
    assert(turns == 1)

#define SLEEP_ON(who, from) \
    GO(right, right, from, sleep, awaited); \
    if \
    :: readiness[mail] == s_pending -> \
       GO(mail, readiness[mail], pending, sleep, awaited); \
       RELEASE(who, READINESS(mail)) \
    :: readiness[mail] == s_ready -> \
       GO(mail, readiness[mail], ready, sleep, ready); \
       GO(right, right, awaited, miss, held); \
       PASS(who, held) \
    fi

inline push(who, mail)
{
    if
    :: right == s_NONE -> /* activate */
       GO(right, right, NONE, init, nobody);
       word = s_idle; fresh = who
    :: else
    fi;
    leaving = false;
    if
    :: word == s_idle -> GO(mailbox, word, idle, post, list); POST_ACQUIRE(who) owns = true
    :: word == s_empty -> GO(mailbox, word, empty, post, list)
    :: word == s_list -> GO(mailbox, word, list, post, list)
    fi;
    RELEASE(who, WORD);
    posted!mail;
    order[posts] = mail; posts++
}

inline post(who, mail)
{
    atomic {
        push(who, mail);
#ifdef POST_ALWAYS_SCHEDULES
        owns = true;
        if :: right == s_nobody -> GO(right, right, nobody, post, held) :: else fi
#else
        if :: owns -> GO(right, right, nobody, post, held) :: else fi
#endif
    }
    if
    :: owns && readiness[mail] == s_ready -> atomic { PASS(who, held) }
    :: owns && readiness[mail] != s_ready -> atomic { SLEEP_ON(who, held) }
    :: !owns
    fi;
    owns = false
}

inline gather(who)
{
    atomic {
        if
        :: word == s_list -> GO(mailbox, word, list, take, empty)
        :: word == s_empty -> GO(mailbox, word, empty, take, empty)
        fi;
        ACQUIRE(who, WORD);
        do :: posted?mail -> kept!mail :: empty(posted) -> break od
    }
}

inline rest(who)
{
    atomic {
        if
        :: leaving && word == s_empty -> GO(right, right, running, retire, NONE); gone = true
        :: leaving && word != s_empty
        :: !leaving ->
           GO(right, right, running, rest, nobody);
           if
           :: word == s_empty -> GO(mailbox, word, empty, give_up, idle); GIVE_UP_RELEASE(who) gone = true
#ifdef GIVE_UP_STORES
           :: word == s_list -> word = s_idle; gone = true
#else
           :: word == s_list ->
              GO(mailbox, word, list, give_up, list);
              GO(right, right, nobody, keep, running)
#endif
           fi
        fi
    }
}

inline offer()
{
    do
    :: atomic {
           nempty(kept) -> kept?<mail>;
           if
           :: readiness[mail] == s_ready || PENDING_PASSES ->
              GO(mail, readiness[mail], ready, offer, ready);
              assert((mail || shown) && order[handled] == mail);
              kept?_; handled++;
              if :: skip :: break fi /* a turn may leave some, and a batch has an end */
           :: else -> break
           fi
       }
    :: empty(kept) -> break
    od
}

proctype worker()
{
    byte mail;
    bool gone;
#define ME WORKER(_pid - 1)
    do
    :: atomic { turns > 0 -> turns--; GO(right, right, queued, begin, running); ACQUIRE(ME, QUEUE); USE(ME) }
       gather(ME);
       offer();
       gone = false;
       do
       :: !gone && empty(kept) ->
          gather(ME);
          if :: empty(kept) -> rest(ME) :: nempty(kept) fi
       :: else -> break
       od;
       if
       :: gone
       :: else ->
          kept?<mail>;
          if
          :: readiness[mail] == s_ready -> atomic { PASS(ME, running) }
          :: readiness[mail] != s_ready ->
#ifdef SLEEP_IN_TWO_STEPS
             atomic { right = s_awaited; readiness[mail] = s_awaited; RELEASE(ME, READINESS(mail)) }
#else
             atomic { SLEEP_ON(ME, running) }
#endif
          fi
       fi
    :: handled == MAILS && swept && (right == s_nobody || right == s_NONE) -> break
    od
}

proctype first() { bool owns; post(POSTER(0), 0) }
proctype second() { bool owns; post(POSTER(1), 1); post(POSTER(1), 2) }

proctype prepare()
{
    bool owns;
    atomic {
        shown = READY_RELEASES;
        if
        :: readiness[0] == s_pending -> GO(mail, readiness[0], pending, ready, ready)
        :: readiness[0] == s_awaited ->
           GO(mail, readiness[0], awaited, ready, ready);
           GO(right, right, awaited, ready, held);
           ACQUIRE(PREPARER, READINESS(0)); owns = true
        fi
    }
    if :: owns -> atomic { PASS(PREPARER, held) } :: else fi
}

proctype sweep()
{
    if
    :: atomic {
           word == s_idle && right == s_nobody -> GO(mailbox, word, idle, claim, empty);
           GO(right, right, nobody, claim, held);
           ACQUIRE(SWEEPER, WORD); leaving = true
       }
       atomic { PASS(SWEEPER, held) }
    :: atomic { word == s_empty -> GO(mailbox, word, empty, claim, empty) }
    :: atomic { word == s_list -> GO(mailbox, word, list, claim, list) }
    :: skip
    fi;
    swept = true
}

init
{
    atomic {
        readiness[0] = s_pending; readiness[1] = s_ready; readiness[2] = s_ready;
        run worker(); run worker(); run first(); run second(); run prepare(); run sweep()
    }
}

ltl ends { <> (handled == MAILS && (right == s_nobody || right == s_NONE)) }
