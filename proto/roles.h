/**
 * Role bitmasks: 256 bits, bit 1 is Owner, bit 32+i the i-th role of the Manifest (protocol.md
 * 5.2). Pure; any thread.
 */
#pragma once

#include "proto/base/bytes.h"

enum {
    ENC_ROLE_SELF = 0,  /* a context, never stored */
    ENC_ROLE_OWNER = 1, /* 2-31 are reserved and 0 */
    ENC_ROLE_CUSTOM = 32,
    ENC_ROLE_BIT_COUNT = 256,
    ENC_ROLE_CUSTOM_MAX = ENC_ROLE_BIT_COUNT - ENC_ROLE_CUSTOM,
};

/** A set of roles; words[0] holds bits 0-63. All zero: none. */
struct enc_roles {
    uint64_t words[4];
};

static inline bool enc_roles_have(const struct enc_roles *roles, unsigned bit)
{
    return roles->words[bit / 64 % 4] >> bit % 64 & 1;
}

static inline void enc_roles_add(struct enc_roles *roles, unsigned bit)
{
    roles->words[bit / 64 % 4] |= (uint64_t)1 << bit % 64;
}

static inline void enc_roles_drop(struct enc_roles *roles, unsigned bit)
{
    roles->words[bit / 64 % 4] &= ~((uint64_t)1 << bit % 64);
}

static inline bool enc_roles_are_none(const struct enc_roles *roles)
{
    return !(roles->words[0] | roles->words[1] | roles->words[2] | roles->words[3]);
}

static inline bool enc_roles_equal(const struct enc_roles *a, const struct enc_roles *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

/** Whether a and b share a role. */
static inline bool enc_roles_meet(const struct enc_roles *a, const struct enc_roles *b)
{
    return (a->words[0] & b->words[0]) | (a->words[1] & b->words[1]) | (a->words[2] & b->words[2]) |
           (a->words[3] & b->words[3]);
}

static inline void enc_roles_unite(struct enc_roles *roles, const struct enc_roles *more)
{
    for (unsigned i = 0; i < 4; i++)
        roles->words[i] |= more->words[i];
}

static inline void enc_roles_subtract(struct enc_roles *roles, const struct enc_roles *less)
{
    for (unsigned i = 0; i < 4; i++)
        roles->words[i] &= ~less->words[i];
}

/** The SMT value: 32 bytes, big-endian. A mask of 0 has no leaf. */
static inline void enc_roles_encode(uint8_t out32[32], const struct enc_roles *roles)
{
    for (unsigned i = 0; i < 4; i++)
        enc_be64_put(out32 + 8 * i, roles->words[3 - i]);
}

/** The mask of an SMT value. */
static inline struct enc_roles enc_roles_decode(const uint8_t in32[32])
{
    struct enc_roles roles;
    for (unsigned i = 0; i < 4; i++)
        roles.words[3 - i] = enc_be64_get(in32 + 8 * i);
    return roles;
}
