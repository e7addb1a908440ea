/** Rows of DataViews: named by a view number and a key whose bytes are its order (table row). */
#pragma once

#include "store/scan.h"
#include "store/writeset.h"

enum { ENC_VIEW_KEY_LEN_MAX = ENC_ROW_KEY_LEN_MAX - 12 };

/** A view of an enclave: a table or an index in the eyes of the service. */
struct enc_view {
    uint64_t ord;
    uint32_t number;
};

/** key at most ENC_VIEW_KEY_LEN_MAX bytes (checked); value may be empty. */
void enc_put_row(struct enc_writeset *set, struct enc_view view, struct enc_bytes key,
                 struct enc_bytes value);
void enc_del_row(struct enc_writeset *set, struct enc_view view, struct enc_bytes key);

/** *found tells whether there is such a row; value is its bytes. Errors: INTERNAL */
ENC_MUST_USE enum enc_err enc_snap_row(struct enc_snap *snap, bool *found, struct enc_bytes *value,
                                       struct enc_view view, struct enc_bytes key);

/** Which rows of a view to walk over. */
struct enc_row_range {
    struct enc_view view;
    struct enc_bytes prefix; /* of the key; empty = all */
    struct enc_bytes past;   /* a whole key to start behind, in walking order; empty = none */
    bool reverse;
};

struct enc_row_found {
    struct enc_bytes key;
    struct enc_bytes value;
};

/** Walk over rows in the order of their keys, or against it. */
void enc_scan_rows(struct enc_scan *scan, struct enc_snap *snap, const struct enc_row_range *range);
bool enc_scan_row(struct enc_scan *scan, struct enc_row_found *out);

/** A row of whichever view. */
struct enc_view_row_found {
    uint32_t number;
    struct enc_bytes key;
    struct enc_bytes value;
};

/** Walk over the rows of one ord in all views from first on, in the order of view and key. */
void enc_scan_views(struct enc_scan *scan, struct enc_snap *snap, struct enc_view first);
bool enc_scan_view_row(struct enc_scan *scan, struct enc_view_row_found *out);
