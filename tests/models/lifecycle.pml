/*
 * The life of an enclave (protocol.md 4): proto/lifecycle.c, services/pipeline.c, run.c, node.c. Runs
 * of up to two commits of any type, an outcome of the writer for each, retirement, crashes.
 *
 *   judge      enc_lifecycle_check (step 6) and enc_lifecycle_judge (step 8), on the staged status
 *   stage      smt_lifecycle: enc_lifecycle_next
 *   end        enc_run_finish: swap_in, or the run is dropped
 *   load       load_stored of an enclave that wakes; close: node_close of one that leaves memory
 *
 * Holds: terminated and migrated are final, also over restarts; while paused nothing is accepted but
 * Resume, Terminate and Migrate; what is in memory is what is stored; nothing is accepted before the
 * Manifest, and that once.
 *
 * Weak memory: one owner at a time sees all of this (mailbox.pml, park.pml).
 */
#include "tests/models/edges.pml"

mtype = {s_NONE, s_none, s_active, s_paused, s_terminated, s_migrated};
mtype = {MANIFEST, OTHER, PAUSE, RESUME, TERMINATE, MIGRATE};

mtype staged = s_none, enclave = s_NONE, stored = s_none, type;
bool in_run;
byte count, crashes;

#ifdef JUDGED_ON_STORED
#define JUDGED stored
#else
#define JUDGED staged
#endif
#define FINAL(status) (status == s_terminated || status == s_migrated)

#define REFUSED(status) \
    if \
    :: type == OTHER -> GO(refused, staged, status, other, status) \
    :: type == PAUSE -> GO(refused, staged, status, pause, status) \
    :: type == RESUME -> GO(refused, staged, status, resume, status) \
    :: type == TERMINATE -> GO(refused, staged, status, terminate, status) \
    :: type == MIGRATE -> GO(refused, staged, status, migrate, status) \
    fi

inline accept()
{
    if
    :: type == OTHER -> GO(status, staged, active, other, active)
    :: type == PAUSE -> GO(status, staged, active, pause, paused)
    :: type == RESUME -> GO(status, staged, paused, resume, active)
    :: type == TERMINATE && staged == s_active -> GO(status, staged, active, terminate, terminated)
    :: type == TERMINATE && staged != s_active -> GO(status, staged, paused, terminate, terminated)
    :: type == MIGRATE && staged == s_active -> GO(status, staged, active, migrate, migrated)
    :: type == MIGRATE && staged != s_active -> GO(status, staged, paused, migrate, migrated)
    fi
}

inline commit()
{
    if
    :: JUDGED == s_none && type == MANIFEST -> GO(status, staged, none, manifest, active)
    :: JUDGED == s_active && type == RESUME -> GO(refused, staged, active, resume, active)
    :: JUDGED == s_active && type != RESUME && type != MANIFEST -> accept()
    :: JUDGED == s_paused && (type == OTHER || type == PAUSE) ->
       if
       :: type == OTHER -> GO(refused, staged, paused, other, paused)
       :: type == PAUSE -> GO(refused, staged, paused, pause, paused)
       fi
    :: JUDGED == s_paused && (type == RESUME || type == TERMINATE || type == MIGRATE) -> accept()
#ifdef MIGRATED_RESUMES
    :: JUDGED == s_migrated && type == RESUME -> staged = s_active
#endif
    :: JUDGED == s_terminated && type != MANIFEST -> REFUSED(terminated)
    :: JUDGED == s_migrated && type != MANIFEST -> REFUSED(migrated)
    :: else /* no such enclave, or one that has its Manifest */
    fi
}

#define SWAP(from) \
    if \
    :: staged == s_active -> GO(enclave, enclave, from, swap, active) \
    :: staged == s_paused -> GO(enclave, enclave, from, swap, paused) \
    :: staged == s_terminated -> GO(enclave, enclave, from, swap, terminated) \
    :: staged == s_migrated -> GO(enclave, enclave, from, swap, migrated) \
    fi

inline swap()
{
    if
    :: enclave == s_NONE && staged == s_none
    :: enclave == s_NONE && staged != s_none -> SWAP(NONE)
    :: enclave == s_active -> SWAP(active)
    :: enclave == s_paused -> SWAP(paused)
    :: enclave == s_terminated -> GO(enclave, enclave, terminated, swap, terminated)
    :: enclave == s_migrated -> GO(enclave, enclave, migrated, swap, migrated)
    fi;
    stored = staged
}

inline leave()
{
    if
    :: enclave == s_active -> GO(enclave, enclave, active, close, NONE)
    :: enclave == s_paused -> GO(enclave, enclave, paused, close, NONE)
    :: enclave == s_terminated -> GO(enclave, enclave, terminated, close, NONE)
    :: enclave == s_migrated -> GO(enclave, enclave, migrated, close, NONE)
    fi
}

inline load()
{
    if
    :: stored == s_active -> GO(enclave, enclave, NONE, load, active)
    :: stored == s_paused -> GO(enclave, enclave, NONE, load, paused)
    :: stored == s_terminated -> GO(enclave, enclave, NONE, load, terminated)
    :: stored == s_migrated -> GO(enclave, enclave, NONE, load, migrated)
    fi
}

#define IS_LOADED (enclave != s_NONE || stored == s_none)

inline check() { assert(enclave == s_NONE || in_run || enclave == stored) }

active proctype node()
{
    do
    :: atomic { !in_run && IS_LOADED -> in_run = true; staged = stored; count = 0 }
    :: atomic {
           in_run && count < 2 -> count++;
           select(type : MIGRATE .. MANIFEST);
           commit();
           type = 0
       }
    :: atomic { in_run -> swap(); in_run = false; staged = s_none; check() }
    :: atomic { /* the writer failed */
           in_run -> in_run = false;
#ifdef KEPT_WHEN_DROPPED
           if :: staged != s_none -> enclave = staged :: else fi;
#endif
           staged = s_none;
           check()
       }
    :: atomic { !in_run && enclave != s_NONE -> leave() }
    :: atomic { !in_run && enclave == s_NONE -> GO(enclave, enclave, NONE, close, NONE) }
    :: atomic { !in_run && !IS_LOADED -> load(); check() }
    :: atomic { crashes < 2 -> crashes++; in_run = false; staged = s_none; enclave = s_NONE }
    od
}

ltl terminated_stays { [] (stored == s_terminated -> [] (stored == s_terminated)) }
ltl migrated_stays { [] (stored == s_migrated -> [] (stored == s_migrated)) }
ltl founded_once { [] (stored != s_none -> [] (stored != s_none)) }
