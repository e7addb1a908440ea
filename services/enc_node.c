#include "services/enc_node.h"

#include "services/handlers.h"

static const struct enc_route EXTRA[] = {
    {.method = ENC_METHOD_GET,
     .path = "/consistency",
     .name = "handleConsistency",
     .handler = enc_handle_consistency},
    {.method = ENC_METHOD_POST,
     .path = "/bundle",
     .name = "handleBundle",
     .handler = enc_handle_bundle},
};

const struct enc_enclave ENC_NODE = {
    .schema = {.fixed_json = NULL},
    .has_dataview = false,
    .has_push = true,
    .has_bootstrap = false,
    .addressing = {.segment = 1},
    .encrypted = true,
    .extra_routes = {EXTRA, sizeof EXTRA / sizeof EXTRA[0]},
};
