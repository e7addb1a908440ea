/** Alarms: when an enclave wants to be woken, so that timers survive a restart (table alarm). */
#pragma once

#include "store/scan.h"
#include "store/writeset.h"

struct enc_alarm_row {
    uint64_t due_ms;
    uint8_t kind; /* the services' own number; one alarm per enclave and kind */
};

void enc_put_alarm(struct enc_writeset *set, const uint8_t enclave32[32],
                   const struct enc_alarm_row *row);
void enc_del_alarm(struct enc_writeset *set, const uint8_t enclave32[32], uint8_t kind);

/** *due_ms is 0 when there is no such alarm. Errors: INTERNAL */
ENC_MUST_USE enum enc_err enc_snap_alarm(struct enc_snap *snap, uint64_t *due_ms,
                                         const uint8_t enclave32[32], uint8_t kind);

struct enc_alarm_found {
    const uint8_t *enclave32;
    struct enc_alarm_row row;
};

/** Walk over all alarms of the shard, by enclave id and kind. */
void enc_scan_alarms(struct enc_scan *scan, struct enc_snap *snap);

/** The same from behind this one on, which need not exist any more. */
void enc_scan_alarms_after(struct enc_scan *scan, struct enc_snap *snap,
                           const uint8_t enclave32[32], uint8_t kind);
bool enc_scan_alarm(struct enc_scan *scan, struct enc_alarm_found *out);
