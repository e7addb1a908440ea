/** Which requests are traced: the samplers that OpenTelemetry names. Pure; any thread. */
#pragma once

#include "services/runtime.h"

enum enc_sampler_kind { ENC_SAMPLER_ON, ENC_SAMPLER_OFF, ENC_SAMPLER_RATIO };

struct enc_sampler {
    enum enc_sampler_kind kind;
    bool follows_parent; /* who has one is traced if it is */
    uint64_t bound;      /* of a ratio: 2^63 for all */
};

/** Their names in the order in which enc_sampler_of numbers them. */
#define ENC_SAMPLERS                                                                               \
    "always_on|always_off|traceidratio|parentbased_always_on|parentbased_always_off|"              \
    "parentbased_traceidratio"

/** The sampler with this place in ENC_SAMPLERS; ratio from 0 to 1. */
struct enc_sampler enc_sampler_of(unsigned index, double ratio);

/** Whether a request is traced that has this trace id, and this parent or NULL. By ratio the id
 * decides, by its last 8 bytes as in the SDKs of OpenTelemetry, so that nodes agree. */
ENC_MUST_USE bool enc_sampler_samples(const struct enc_sampler *sampler,
                                      const struct enc_trace_context *parent,
                                      const uint8_t trace16[16]);
