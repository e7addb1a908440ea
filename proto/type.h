/**
 * Event types: the predefined ones are rows of one table, all others are content types. Pure; any
 * thread.
 * Source: protocol.md 4.3, 16.19
 */
#pragma once

#include "proto/base/bytes.h"

enum { ENC_TYPE_LEN_MAX = 64 };

enum enc_type {
    ENC_TYPE_CONTENT, /* not predefined: the application's */
    ENC_TYPE_MANIFEST,
    ENC_TYPE_UPDATE,
    ENC_TYPE_DELETE,
    ENC_TYPE_PAUSE,
    ENC_TYPE_RESUME,
    ENC_TYPE_TERMINATE,
    ENC_TYPE_MIGRATE,
    ENC_TYPE_GRANT,
    ENC_TYPE_GRANT_PUSH,
    ENC_TYPE_REVOKE,
    ENC_TYPE_MOVE,
    ENC_TYPE_FORCE_MOVE,
    ENC_TYPE_TRANSFER_OWNER,
    ENC_TYPE_GATE,
    ENC_TYPE_AC_BUNDLE,
    ENC_TYPE_SHARED,
    ENC_TYPE_OWN,
    ENC_TYPE_TRANSFER,
    ENC_TYPE_COUNT
};

/** What kind of work a type is; the pipeline branches on this and on nothing else. */
enum enc_family {
    ENC_FAMILY_CONTENT,
    ENC_FAMILY_MANIFEST,  /* creates the enclave */
    ENC_FAMILY_CHANGE,    /* Update, Delete: aims at another event by its `r` tag */
    ENC_FAMILY_LIFECYCLE, /* Pause, Resume, Terminate, Migrate */
    ENC_FAMILY_AC,        /* access control */
    ENC_FAMILY_RESERVED,  /* refused in v1 */
};

struct enc_type_row {
    const char *name; /* NULL for ENC_TYPE_CONTENT */
    enum enc_family family;
    bool has_targets; /* schema rows of it may carry target_roles */
    bool is_bundled;  /* may be an entry of an AC_Bundle */
};

/** Properties of a type; static storage. Aborts on a value outside the list. */
const struct enc_type_row *enc_type_row(enum enc_type type);

/** The predefined type of that name, else ENC_TYPE_CONTENT. Any bytes are allowed. */
enum enc_type enc_type_of(struct enc_bytes name);

/** Whether the name belongs to the protocol. */
bool enc_type_is_predefined(struct enc_bytes name);

/** Whether name is 1-64 bytes of the grammar [A-Za-z][A-Za-z0-9_.:-]*. protocol.md 2.1 */
bool enc_type_is_well_formed(struct enc_bytes name);
