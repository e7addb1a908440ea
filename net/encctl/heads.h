/** Tree heads that others saw: lines {"enclave","t","ts","r","sig"}, as verify --remember keeps. */
#pragma once

#include "net/encctl/ctl.h"
#include "proto/ct.h"

/** What was seen of one enclave. */
struct enc_seen {
    struct enc_seen *next;
    uint8_t enclave32[32];
    struct enc_sth *heads; /* ascending by ts */
    size_t head_count;
};

/**
 * The heads of a file that node_pub32 has signed, by enclave, in the arena of ctl; others are left
 * out, since anybody can write a line. "-" is standard input. False, and told why.
 */
ENC_MUST_USE bool enc_seen_read(struct enc_seen **list, struct enc_ctl *ctl, const char *path,
                                const uint8_t node_pub32[32]);

/** Read one such line. */
ENC_MUST_USE bool enc_seen_line(uint8_t enclave32[32], struct enc_sth *head,
                                struct enc_arena *arena, struct enc_bytes line);

/** Sort by ts. */
void enc_heads_sort(struct enc_sth *heads, size_t count);
