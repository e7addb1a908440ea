/** What a write set is made of, for the families and for apply. Not for outsiders. */
#pragma once

#include "store/key.h"
#include "store/writeset.h"

struct enc_write {
    struct enc_write *next;
    struct enc_bytes key;
    struct enc_bytes value; /* of a put */
    enum enc_table table;
    bool del;
    bool append;  /* to the row of ids under key, which is merged with others when it is full */
    bool is_slot; /* value is a hash in the tile under key, */
    uint8_t slot; /* and stands here */
};

/** Put value, which stays borrowed until the apply. Key and value must fit the table (checked). */
void enc_op_put(struct enc_writeset *set, enum enc_table table, const struct enc_row_key *key,
                struct enc_bytes value);

/** Put a copy of value. */
void enc_op_put_copy(struct enc_writeset *set, enum enc_table table, const struct enc_row_key *key,
                     struct enc_bytes value);

/** The value, an entry of ids.h, behind those of the row under key. */
void enc_op_append_id(struct enc_writeset *set, const struct enc_row_key *key,
                      struct enc_bytes entry);

/** A hash into a slot of the tile under key that holds nothing yet. */
void enc_op_put_slot(struct enc_writeset *set, const struct enc_row_key *key, uint8_t slot,
                     const uint8_t hash32[32]);

void enc_op_del(struct enc_writeset *set, enum enc_table table, const struct enc_row_key *key);
