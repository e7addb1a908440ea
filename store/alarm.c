#include "store/alarm.h"
#include "store/op.h"
#include "store/read.h"

static void key_of(struct enc_row_key *key, const uint8_t enclave32[32], uint8_t kind)
{
    enc_row_key_init(key);
    enc_row_key_bytes(key, enc_bytes_of(enclave32, 32));
    enc_row_key_u8(key, kind);
}

void enc_put_alarm(struct enc_writeset *set, const uint8_t enclave32[32],
                   const struct enc_alarm_row *row)
{
    struct enc_row_key key;
    uint8_t value[8];
    key_of(&key, enclave32, row->kind);
    enc_be64_put(value, row->due_ms);
    enc_op_put_copy(set, ENC_TABLE_ALARM, &key, enc_bytes_of(value, sizeof value));
}

void enc_del_alarm(struct enc_writeset *set, const uint8_t enclave32[32], uint8_t kind)
{
    struct enc_row_key key;
    key_of(&key, enclave32, kind);
    enc_op_del(set, ENC_TABLE_ALARM, &key);
}

enum enc_err enc_snap_alarm(struct enc_snap *snap, uint64_t *due_ms, const uint8_t enclave32[32],
                            uint8_t kind)
{
    struct enc_row_key key;
    struct enc_bytes value;
    bool found = false;
    key_of(&key, enclave32, kind);
    ENC_TRY(enc_snap_find(snap, &found, &value, ENC_TABLE_ALARM, &key));
    *due_ms = found ? enc_be64_get(value.data) : 0;
    return ENC_ERR_OK;
}

void enc_scan_alarms(struct enc_scan *scan, struct enc_snap *snap)
{
    enc_scan_start(scan, snap, ENC_TABLE_ALARM, false);
    enc_row_key_u8(&scan->low, 0);
    enc_row_key_top(&scan->high);
}

void enc_scan_alarms_after(struct enc_scan *scan, struct enc_snap *snap,
                           const uint8_t enclave32[32], uint8_t kind)
{
    enc_scan_start(scan, snap, ENC_TABLE_ALARM, false);
    key_of(&scan->low, enclave32, kind);
    enc_row_key_top(&scan->high);
    scan->skip_start = true;
}

bool enc_scan_alarm(struct enc_scan *scan, struct enc_alarm_found *out)
{
    struct enc_bytes key;
    struct enc_bytes value;
    if (!enc_scan_step(scan, &key, &value))
        return false;
    out->enclave32 = key.data;
    out->row = (struct enc_alarm_row){.due_ms = enc_be64_get(value.data), .kind = key.data[32]};
    return true;
}
