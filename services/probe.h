/**
 * Probes for tracers (USDT): a place in the program and some numbers, which bpftrace, perf and
 * SystemTap find by name. One instruction that does nothing unless somebody traces. Without the
 * header of SystemTap there are none.
 *
 *     enclaved:stage     of, stage, ns, in    a stage (enum enc_stage) has ended
 *     enclaved:answered  of, err, step, ns    a commit is being answered
 *
 * of and in are the addresses of a commit's exchange, of a run, and the begin of a transaction:
 * they tie the stages of a commit to those of its run and its transaction
 * (deploy/trace/stages.bt).
 */
#pragma once

#if __has_include(<sys/sdt.h>)
#include <sys/sdt.h>
#define ENC_PROBE(name, a, b, c, d) STAP_PROBE4(enclaved, name, a, b, c, d)
#else
#define ENC_PROBE(name, a, b, c, d) ((void)0)
#endif
