#include "net/sampler.h"

enum { ROOTS = 3 };

struct enc_sampler enc_sampler_of(unsigned index, double ratio)
{
    const double all = (double)(UINT64_C(1) << 63);
    return (struct enc_sampler){
        .kind = (enum enc_sampler_kind)(index % ROOTS),
        .follows_parent = index >= ROOTS,
        .bound = (uint64_t)(ratio * all),
    };
}

bool enc_sampler_samples(const struct enc_sampler *sampler, const struct enc_trace_context *parent,
                         const uint8_t trace16[16])
{
    if (parent && sampler->follows_parent)
        return parent->is_sampled;
    if (sampler->kind == ENC_SAMPLER_RATIO)
        return enc_be64_get(trace16 + 8) >> 1 < sampler->bound;
    return sampler->kind == ENC_SAMPLER_ON;
}
