/*
 * Group commit and its output gate: services/run.c, writer.c, store/apply.c. Two enclaves whose runs
 * share transactions, a disk that fails, a process that dies. One step is one function:
 *
 *   open, submit    enc_run_open, enc_run_submit
 *   take            enc_writer_work, write_batch
 *   write, sync     enc_store_apply: pages go out, then the page that makes them durable
 *   end             judge, fence, the outcome; note, mark_ended
 *   finish          enc_run_finish: swap_in and receipts, or fail_staged
 *   crash           kill -9 or power, at any step; then a new process with what is on the disk
 *
 * Holds: what a client has a receipt for is on the disk with that seq after any crash, and stays the
 * same; no seq is given twice; who was told that it failed is not on the disk unless the outcome
 * was in doubt; once in doubt or fenced this process makes nothing durable any more; all is answered.
 *
 * Weak memory: run and outcome travel as park.pml shows; store_failed is only read by people's eyes.
 */
#include "tests/models/edges.pml"

mtype = {s_NONE, s_open, s_waiting, s_writing, s_durable, s_failed, s_fenced, s_in_doubt, s_live,
         s_clear, s_writable, s_shut};
mtype = {IDLE, TAKEN, WRITTEN};

#define ACTORS 2
#define SEQS 3
#define EVENTS 4
#define AT(a, seq) (a * SEQS + seq)

mtype run_[ACTORS] = s_NONE, store = s_writable, writer = IDLE;
byte event[ACTORS]; /* that the run has accepted; 0: only refusals */
bool answered[ACTORS];
byte next[ACTORS], stored[ACTORS]; /* the next seq, in memory and on the disk */
byte disk[6], receipt[6], refused[6]; /* events by seq, and those answered as failed by number */
byte events, faults;
bool doubted;

#define WRITING (run_[0] == s_writing || run_[1] == s_writing)
#define TO_DISK(a) \
    if \
    :: run_[a] == s_writing && event[a] -> \
       assert(disk[AT(a, next[a])] == 0 && next[a] == stored[a] && store == s_writable); \
       disk[AT(a, next[a])] = event[a]; stored[a] = next[a] + 1 \
    :: else \
    fi

inline check(i)
{
    for (i : 0 .. ACTORS * SEQS - 1) {
        assert(receipt[i] == 0 || receipt[i] == disk[i]);
        assert(disk[i] == 0 || !refused[disk[i]])
    }
}

#define END(event_, to) \
    for (a : 0 .. ACTORS - 1) { \
        if :: run_[a] == s_writing -> GO(run, run_[a], writing, event_, to) :: else fi \
    }

inline refuse()
{
    refused[event[a]] = (event[a] && run_[a] != s_in_doubt);
    answered[a] = true
}

inline finish_step()
{
    if
    :: run_[a] == s_durable -> GO(run, run_[a], durable, swap, live); next[a] = next[a] + (event[a] > 0)
    :: run_[a] == s_live && !answered[a] && event[a] ->
       GO(run, run_[a], live, receipt, live); receipt[AT(a, next[a] - 1)] = event[a]; answered[a] = true
    :: run_[a] == s_live && !answered[a] && !event[a] -> GO(run, run_[a], live, refuse, live); answered[a] = true
    :: run_[a] == s_live && !answered[a] && !event[a] -> /* another node's payload */
       GO(run, run_[a], live, accept, live); answered[a] = true
    :: run_[a] == s_clear && !answered[a] -> GO(run, run_[a], clear, refuse, clear); answered[a] = true
    :: run_[a] == s_clear && !answered[a] -> /* one that was there */
       GO(run, run_[a], clear, accept, clear); answered[a] = true
    :: run_[a] == s_failed && !answered[a] ->
       GO(run, run_[a], failed, refuse, failed); refuse();
#ifdef STAGED_STATE_STAYS
       next[a]++
#endif
    :: run_[a] == s_fenced && !answered[a] -> GO(run, run_[a], fenced, refuse, fenced); refuse()
    :: run_[a] == s_in_doubt && !answered[a] -> GO(run, run_[a], in_doubt, refuse, in_doubt); refuse()
    :: run_[a] == s_live && answered[a] -> GO(run, run_[a], live, free, NONE)
    :: run_[a] == s_clear && answered[a] -> GO(run, run_[a], clear, free, NONE)
    :: run_[a] == s_failed && answered[a] -> GO(run, run_[a], failed, free, NONE)
    :: run_[a] == s_fenced && answered[a] -> GO(run, run_[a], fenced, free, NONE)
    :: run_[a] == s_in_doubt && answered[a] -> GO(run, run_[a], in_doubt, free, NONE)
#ifdef RECEIPT_BEFORE_SYNC
    :: run_[a] == s_writing && writer == WRITTEN && event[a] -> receipt[AT(a, next[a])] = event[a]
#endif
    fi
}

inline open_step()
{
    if
    :: run_[a] == s_NONE && events < EVENTS && next[a] < SEQS ->
       GO(run, run_[a], NONE, open, open);
       events++;
       answered[a] = false;
       if :: event[a] = events :: event[a] = 0 fi
    :: run_[a] == s_open && !event[a] -> GO(run, run_[a], open, nothing, clear)
    :: run_[a] == s_open -> GO(run, run_[a], open, submit, waiting)
    :: run_[a] == s_open && faults < 2 -> faults++; GO(run, run_[a], open, broken, failed)
    :: run_[a] == s_open && !WRITING && writer == IDLE -> /* enc_run_write */
       GO(run, run_[a], open, take, writing); writer = TAKEN
    fi
}

inline store_ok()
{
    if
    :: store == s_writable -> GO(store, store, writable, ok, writable)
    :: else -> assert(false)
    fi
}

inline write_step()
{
    if
    :: writer == IDLE && !WRITING && (run_[0] == s_waiting || run_[1] == s_waiting) ->
       for (a : 0 .. ACTORS - 1) {
           if :: run_[a] == s_waiting -> GO(run, run_[a], waiting, take, writing) :: else fi
       }
       writer = TAKEN
    :: writer == TAKEN && store == s_writable -> writer = WRITTEN
    :: writer == TAKEN && store == s_shut && !doubted -> GO(store, store, shut, fenced, shut); END(fenced, fenced); writer = IDLE
    :: writer == TAKEN && store == s_shut && doubted -> GO(store, store, shut, failed, shut); END(failed, failed); writer = IDLE
    :: writer == TAKEN && store == s_writable && faults < 2 -> /* another process took the directory */
       faults++; GO(store, store, writable, fenced, shut); END(fenced, fenced); writer = IDLE
    :: writer == TAKEN && store == s_writable && faults < 2 && run_[0] == s_writing && run_[1] == s_writing ->
       faults++; GO(store, store, writable, failed, writable); /* one bad set is left out */
       GO(run, run_[0], writing, failed, failed)
    :: writer == WRITTEN -> /* the sync */
       TO_DISK(0); TO_DISK(1); store_ok(); END(ok, durable); writer = IDLE
    :: writer == WRITTEN && faults < 2 ->
       faults++;
#ifdef FAILED_SYNC_IS_OK
       END(ok, durable);
#else
       GO(store, store, writable, failed, writable); END(failed, failed);
#endif
       writer = IDLE
    :: writer == WRITTEN && faults < 2 -> /* MDB_PANIC: on the disk or not */
       faults++;
       if :: TO_DISK(0); TO_DISK(1) :: skip fi;
#ifndef DOUBT_GOES_ON
       GO(store, store, writable, in_doubt, shut);
#endif
       doubted = true; END(in_doubt, in_doubt); writer = IDLE
    fi
}

active [ACTORS] proctype enclave()
{
    byte i;
    byte a = _pid;
    do
    :: atomic { open_step() }
    :: atomic { finish_step() }
    :: atomic { run_[a] == s_NONE && (events == EVENTS || next[a] == SEQS) -> check(i); break }
    od
}

active proctype write()
{
    byte a;
end:
    do
    :: atomic { write_step() }
    od
}

active proctype crash()
{
    byte a;
    atomic {
        check(a);
        for (a : 0 .. ACTORS - 1) { run_[a] = s_NONE; event[a] = 0; next[a] = stored[a] }
        store = s_writable; doubted = false; writer = IDLE
    }
}
