#include "services/quota.h"

#include "services/inside.h"

static enum enc_err open_table(struct enc_host *host, struct enc_rates **out, uint32_t per_s,
                               uint32_t burst)
{
    struct enc_rates_config config = {
        .per_s = per_s, .burst = burst, .keys_max = host->limits.rate_keys_max};
    if (per_s == 0)
        return ENC_ERR_OK;
    host->runtime->random(host->runtime->self, (uint8_t *)&config.hash_seed,
                          sizeof config.hash_seed);
    *out = enc_rates_open(&config);
    return *out ? ENC_ERR_OK : ENC_ERR_INTERNAL;
}

enum enc_err enc_quota_open(struct enc_host *host)
{
    const struct enc_limits *limits = &host->limits;
    ENC_TRY(open_table(host, &host->key_rates, limits->rate_key, limits->rate_key_burst));
    return open_table(host, &host->enclave_rates, limits->rate_enclave, limits->rate_enclave_burst);
}

void enc_quota_close(struct enc_host *host)
{
    enc_rates_close(host->key_rates);
    enc_rates_close(host->enclave_rates);
}

/* The node's own commits and what it asked for are nobody's burden. */
static bool is_asked(const struct enc_exchange *exchange)
{
    return exchange->asker.call || exchange->asker.conn;
}

/* The answer tells of the bucket that has least left. */
static void note(struct enc_exchange *exchange, const char *policy, const struct enc_rate *rate)
{
    struct enc_quota *quota = &exchange->quota;
    if (quota->policy && quota->rate.left <= rate->left)
        return;
    *quota = (struct enc_quota){policy, *rate};
}

static enum enc_err refuse(_Atomic uint64_t *counter)
{
    /* relaxed: a figure for people */
    atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
    return ENC_ERR_RATE_LIMITED;
}

enum enc_err enc_quota_take_key(struct enc_exchange *exchange, const uint8_t pub32[32])
{
    struct enc_rate rate;
    struct enc_host *host = exchange->host;
    if (!host->key_rates || exchange->is_counted || exchange->is_founding || !is_asked(exchange))
        return ENC_ERR_OK;
    exchange->is_counted = true;
    bool admits = enc_rates_take(host->key_rates, &rate, pub32, enc_host_now_ms(host));
    note(exchange, "key", &rate);
    return admits ? ENC_ERR_OK : refuse(&host->key_refusals);
}

enum enc_err enc_quota_take_enclave(struct enc_exchange *exchange)
{
    struct enc_rate rate;
    struct enc_host *host = exchange->host;
    if (!host->enclave_rates || !is_asked(exchange))
        return ENC_ERR_OK;
    bool admits =
        enc_rates_take(host->enclave_rates, &rate, exchange->enclave32, enc_host_now_ms(host));
    note(exchange, "enclave", &rate);
    return admits ? ENC_ERR_OK : refuse(&host->enclave_refusals);
}
