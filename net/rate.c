#include "net/rate.h"

#include "net/metric.h"
#include "net/process.h"
#include "net/server.h"

#include <stdio.h>

enum { FIELD_LEN_MAX = 96 };

struct enc_rates *enc_rate_open(const struct enc_config *config)
{
    struct enc_rates_config rates = {
        .per_s = (uint32_t)config->rate_address,
        .burst = (uint32_t)config->rate_address_burst,
        .keys_max = config->limits.rate_keys_max,
    };
    if (rates.per_s == 0)
        return NULL;
    enc_process_random((uint8_t *)&rates.hash_seed, sizeof rates.hash_seed);
    struct enc_rates *opened = enc_rates_open(&rates);
    ENC_CHECK(opened != NULL);
    return opened;
}

bool enc_rate_admits(const struct enc_loop *loop, struct enc_quota *quota,
                     const uint8_t bucket16[16])
{
    uint8_t key32[32] = {0};
    struct enc_rates *rates = loop->server->rates;
    quota->policy = NULL;
    if (!rates)
        return true;
    memcpy(key32, bucket16, 16);
    quota->policy = "address";
    bool admits = enc_rates_take(rates, &quota->rate, key32, enc_loop_now_ms(loop));
    if (!admits)
        enc_metric_add(ENC_METRIC_RATE_ADDRESS, 1);
    return admits;
}

static void add(h2o_req_t *req, const char *name, const char *text, size_t len)
{
    h2o_iovec_t value = h2o_strdup(&req->pool, text, len);
    h2o_add_header_by_str(&req->pool, &req->res.headers, name, strlen(name), 0, NULL, value.base,
                          value.len);
}

void enc_rate_add_fields(h2o_req_t *req, const struct enc_quota *quota)
{
    char text[FIELD_LEN_MAX];
    const struct enc_rate *rate = &quota->rate;
    int len =
        snprintf(text, sizeof text, "\"%s\";q=%u;w=%u", quota->policy, rate->quota, rate->window_s);
    add(req, "ratelimit-policy", text, (size_t)len);
    uint32_t until_s = rate->retry_s ? rate->retry_s : rate->full_s;
    len = snprintf(text, sizeof text, "\"%s\";r=%u;t=%u", quota->policy, rate->left, until_s);
    add(req, "ratelimit", text, (size_t)len);
}
