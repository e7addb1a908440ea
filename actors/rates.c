#include "actors/rates.h"

#include "actors/keyhash.h"

#include <stdlib.h>
#include <uv.h>

enum { STRIPES = 64, NS_PER_MS = 1000000, NS_PER_S = 1000000000 };

/* GCRA: when the bucket will be full again says how full it is. A row whose time has passed is a
 * full bucket, and so is no row at all. */
struct row {
    uint64_t tag; /* the key, hashed twice */
    uint64_t full_ns;
};

struct enc_rates {
    struct enc_keyhash hashes[2];
    uint64_t step_ns;  /* one token */
    uint64_t depth_ns; /* all of a bucket's */
    uint32_t quota;
    uint32_t set_count; /* a power of two */
    uv_mutex_t stripes[STRIPES];
    struct row rows[]; /* a set's rows under its stripe */
};

static uint32_t sets_for(uint32_t keys_max)
{
    uint32_t sets = 1;
    while (sets < keys_max / ENC_RATES_WAYS && sets < 1U << 28)
        sets *= 2;
    return sets;
}

static void init_figures(struct enc_rates *rates, const struct enc_rates_config *config)
{
    ENC_CHECK(config->per_s > 0 && config->per_s <= 1000000);
    rates->quota = config->burst ? config->burst : config->per_s;
    rates->step_ns = NS_PER_S / config->per_s;
    rates->depth_ns = rates->quota * rates->step_ns;
    enc_keyhash_init(&rates->hashes[0], config->hash_seed);
    enc_keyhash_init(&rates->hashes[1], ~config->hash_seed);
}

static bool init_locks(struct enc_rates *rates)
{
    for (unsigned i = 0; i < STRIPES; i++) {
        if (uv_mutex_init(&rates->stripes[i]) == 0)
            continue;
        while (i-- > 0)
            uv_mutex_destroy(&rates->stripes[i]);
        return false;
    }
    return true;
}

struct enc_rates *enc_rates_open(const struct enc_rates_config *config)
{
    uint32_t set_count = sets_for(config->keys_max);
    size_t rows_len = (size_t)set_count * ENC_RATES_WAYS * sizeof(struct row);
    struct enc_rates *rates = (struct enc_rates *)calloc(1, sizeof *rates + rows_len);
    if (!rates || !init_locks(rates)) {
        free(rates);
        return NULL;
    }
    rates->set_count = set_count;
    init_figures(rates, config);
    return rates;
}

void enc_rates_close(struct enc_rates *rates)
{
    if (!rates)
        return;
    for (unsigned i = 0; i < STRIPES; i++)
        uv_mutex_destroy(&rates->stripes[i]);
    free(rates);
}

/* The key's row, or the one that is fullest and becomes the key's. With the lock held. */
static struct row *obtain(struct row *set, uint64_t tag)
{
    struct row *fullest = set;
    for (struct row *row = set; row < set + ENC_RATES_WAYS; row++) {
        if (row->tag == tag)
            return row;
        if (row->full_ns < fullest->full_ns)
            fullest = row;
    }
    *fullest = (struct row){.tag = tag};
    return fullest;
}

/* How long until the bucket is full; takes a token if there is one. With the lock held. */
static uint64_t take(const struct enc_rates *rates, struct row *row, uint64_t now_ns, bool *admits)
{
    uint64_t until_ns = row->full_ns > now_ns ? row->full_ns - now_ns : 0;
    if (until_ns > rates->depth_ns)
        until_ns = rates->depth_ns; /* the clock went back */
    *admits = until_ns + rates->step_ns <= rates->depth_ns;
    if (*admits)
        until_ns += rates->step_ns;
    row->full_ns = now_ns + until_ns;
    return until_ns;
}

static uint32_t seconds_up(uint64_t ns)
{
    return (uint32_t)((ns + NS_PER_S - 1) / NS_PER_S);
}

static void describe(const struct enc_rates *rates, struct enc_rate *out, uint64_t until_ns)
{
    uint64_t free_ns = rates->depth_ns - until_ns;
    *out = (struct enc_rate){
        .quota = rates->quota,
        .window_s = seconds_up(rates->depth_ns),
        .left = (uint32_t)(free_ns / rates->step_ns),
        .full_s = seconds_up(until_ns),
    };
}

bool enc_rates_take(struct enc_rates *rates, struct enc_rate *out, const uint8_t key32[32],
                    uint64_t now_ms)
{
    bool admits = false;
    uint32_t place = enc_keyhash_of(&rates->hashes[0], key32);
    uint64_t tag = (uint64_t)place << 32 | enc_keyhash_of(&rates->hashes[1], key32);
    uint32_t set = place & (rates->set_count - 1);
    uv_mutex_t *lock = &rates->stripes[set % STRIPES];
    uv_mutex_lock(lock);
    struct row *row = obtain(&rates->rows[(size_t)set * ENC_RATES_WAYS], tag);
    uint64_t until_ns = take(rates, row, now_ms * NS_PER_MS, &admits);
    uv_mutex_unlock(lock);
    describe(rates, out, until_ns);
    if (!admits)
        out->retry_s = seconds_up(until_ns + rates->step_ns - rates->depth_ns);
    return admits;
}
