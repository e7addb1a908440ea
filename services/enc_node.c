/* enc-node: the generic sequencer (seed IV, protocol.md 11.2). */
#include "services/handlers.h"
#include "services/host.h"
#include "services/read.h"

static const struct enc_route EXTRA[] = {
    {.method = ENC_METHOD_GET,
     .path = "/consistency",
     .name = "handleConsistency",
     .read = enc_read_consistency},
    {.method = ENC_METHOD_POST, .path = "/bundle", .name = "handleBundle", .read = enc_read_bundle},
};
_Static_assert(sizeof EXTRA / sizeof EXTRA[0] == 2, "seed IV: extra routes of enc-node");

const struct enc_service ENC_SERVICE_NODE = {
    .name = "enc-node",
    .enclave =
        {
            .schema = {.fixed_json = NULL},
            .has_dataview = false,
            .has_push = true,
            .has_bootstrap = false,
            .addressing = {.segment = 1},
            .encrypted = true,
            .extra_routes = {EXTRA, sizeof EXTRA / sizeof EXTRA[0]},
        },
};
