#include "actors/turnstile.h"

#include "actors/keyhash.h"
#include "proto/base/edge.h"

#include <stdlib.h>
#include <uv.h>

enum { BUCKETS = 1024 };

struct enc_turnstile {
    struct enc_keyhash hash;
    uint32_t waiting_max;
    uv_mutex_t lock; /* from here on */
    uint32_t waiting;
    struct enc_pass *buckets[BUCKETS]; /* who went through */
};

enum enc_err enc_turnstile_open(struct enc_turnstile **out,
                                const struct enc_turnstile_config *config)
{
    struct enc_turnstile *turnstile = (struct enc_turnstile *)calloc(1, sizeof *turnstile);
    if (!turnstile)
        return ENC_ERR_INTERNAL;
    if (uv_mutex_init(&turnstile->lock) != 0) {
        free(turnstile);
        return ENC_ERR_INTERNAL;
    }
    turnstile->waiting_max = config->waiting_max;
    enc_keyhash_init(&turnstile->hash, config->hash_seed);
    *out = turnstile;
    return ENC_ERR_OK;
}

/* For tests: a key of a turnstile as an instance. */
static const void *instance_of(const struct enc_turnstile *turnstile, const uint8_t key32[32])
{
    return (const uint8_t *)turnstile + (enc_keyhash_of(&turnstile->hash, key32) | 1);
}

static struct enc_pass **bucket_of(struct enc_turnstile *turnstile, const uint8_t key32[32])
{
    return &turnstile->buckets[enc_keyhash_of(&turnstile->hash, key32) % BUCKETS];
}

/* The place of the one with this key, or where it would stand. With the lock held. */
static struct enc_pass **find(struct enc_turnstile *turnstile, const uint8_t key32[32])
{
    struct enc_pass **at = bucket_of(turnstile, key32);
    while (*at && memcmp((*at)->key32, key32, 32) != 0)
        at = &(*at)->chain;
    return at;
}

static void go_through(const struct enc_turnstile *turnstile, struct enc_pass **place,
                       struct enc_pass *pass)
{
    ENC_EDGE("pass", pass, "NONE", "first", "inside");
    ENC_EDGE("key", instance_of(turnstile, pass->key32), NULL, "enter", "taken");
    pass->chain = NULL;
    pass->waiting = (struct enc_queue){NULL, NULL, 0};
    *place = pass;
}

static enum enc_err wait_for(struct enc_turnstile *turnstile, struct enc_pass *first,
                             struct enc_pass *pass)
{
    bool fits = turnstile->waiting < turnstile->waiting_max;
    ENC_EDGE("pass", pass, "NONE", fits ? "wait" : "full", fits ? "waiting" : "NONE");
    if (!fits)
        return ENC_ERR_BUSY;
    turnstile->waiting++;
    enc_queue_push(&first->waiting, &pass->link);
    return ENC_ERR_OK;
}

enum enc_err enc_turnstile_enter(struct enc_turnstile *turnstile, bool *is_first,
                                 struct enc_pass *pass)
{
    enum enc_err err = ENC_ERR_OK;
    uv_mutex_lock(&turnstile->lock);
    struct enc_pass **place = find(turnstile, pass->key32);
    *is_first = *place == NULL;
    if (*is_first)
        go_through(turnstile, place, pass);
    else
        err = wait_for(turnstile, *place, pass);
    uv_mutex_unlock(&turnstile->lock);
    return err;
}

struct enc_link *enc_turnstile_leave(struct enc_turnstile *turnstile, struct enc_pass *pass)
{
    uv_mutex_lock(&turnstile->lock);
    struct enc_pass **place = find(turnstile, pass->key32);
    ENC_CHECK(*place == pass);
    ENC_EDGE("pass", pass, NULL, "leave", "NONE");
    ENC_EDGE("key", instance_of(turnstile, pass->key32), NULL, "leave", "NONE");
    *place = pass->chain;
    turnstile->waiting -= (uint32_t)pass->waiting.count;
    struct enc_link *list = enc_queue_take_all(&pass->waiting);
    ENC_EDGE_LIST("pass", list, "back", "NONE");
    uv_mutex_unlock(&turnstile->lock);
    return list;
}

void enc_turnstile_close(struct enc_turnstile *turnstile)
{
    if (!turnstile)
        return;
    for (size_t i = 0; i < BUCKETS; i++)
        ENC_CHECK(!turnstile->buckets[i]);
    uv_mutex_destroy(&turnstile->lock);
    free(turnstile);
}
