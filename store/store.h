/**
 * The only door of the store: a data directory of shards, write sets applied as one, snapshots that
 * show durable data only. It blocks; it knows no thread, log, clock or metric and hands numbers
 * back. No type of the engine below crosses this door. The tour is in store/README.md.
 *
 *     open      enc_data_open, enc_data_shard                      data.h
 *     write     enc_writeset_init, enc_put_*, enc_store_apply      writeset.h, apply.h, families
 *     read      enc_snap_open, enc_snap_*, enc_scan_*              snap.h, scan.h, families
 *     families  enclave.h  event.h  tree.h  push.h  alarm.h  row.h
 *     copy      enc_data_look, enc_shard_copy, enc_data_compact    copy.h
 *     hold      enc_data_hold, enc_data_held, enc_data_let_go      mark.h
 *     numbers   enc_store_counts, enc_store_verify                 counts.h, verify.h
 *     pages     enc_data_check_pages                               pages.h
 *     room      enc_store_add_room, enc_store_used_len             room.h
 */
#pragma once

#include "store/alarm.h"
#include "store/apply.h"
#include "store/copy.h"
#include "store/counts.h"
#include "store/data.h"
#include "store/enclave.h"
#include "store/event.h"
#include "store/mark.h"
#include "store/pages.h"
#include "store/push.h"
#include "store/room.h"
#include "store/row.h"
#include "store/scan.h"
#include "store/snap.h"
#include "store/tree.h"
#include "store/verify.h"
#include "store/writeset.h"
