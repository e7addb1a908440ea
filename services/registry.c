/* registry: where nodes, enclaves and identities are found; one enclave per node (seed IV,
 * protocol.md 11.3). */
#include "services/registry.h"

#include "services/handlers.h"
#include "services/host.h"

/* protocol.md Appendix A, row by row. */
static const char SCHEMA[] =
    "{\"roles\":[\"DataView\"],\"schema\":["
    "{\"event\":\"Reg_Node\",\"role\":\"Any\",\"ops\":[\"C\"]},"
    "{\"event\":\"Reg_Enclave\",\"role\":\"Any\",\"ops\":[\"C\"]},"
    "{\"event\":\"Reg_Identity\",\"role\":\"Any\",\"ops\":[\"C\"]},"
    "{\"event\":\"Reg_Node\",\"role\":\"Self\",\"ops\":[\"D\"]},"
    "{\"event\":\"Reg_Enclave\",\"role\":\"Self\",\"ops\":[\"D\"]},"
    "{\"event\":\"Reg_Identity\",\"role\":\"Self\",\"ops\":[\"D\"]},"
    "{\"event\":\"*\",\"role\":\"Public\",\"ops\":[\"R\"]},"
    "{\"event\":\"*\",\"role\":\"DataView\",\"ops\":[\"P\"]},"
    "{\"event\":\"Grant\",\"role\":\"Owner\",\"ops\":[\"C\"],\"target_roles\":[\"DataView\"]},"
    "{\"event\":\"Grant_Push\",\"role\":\"Owner\",\"ops\":[\"C\"],\"target_roles\":[\"DataView\"]},"
    "{\"event\":\"Revoke\",\"role\":\"Owner\",\"ops\":[\"C\"],\"target_roles\":[\"DataView\"]},"
    "{\"event\":\"Pause\",\"role\":\"Owner\",\"ops\":[\"C\"]},"
    "{\"event\":\"Resume\",\"role\":\"Owner\",\"ops\":[\"C\"]},"
    "{\"event\":\"Terminate\",\"role\":\"Owner\",\"ops\":[\"C\"]},"
    "{\"event\":\"Migrate\",\"role\":\"Owner\",\"ops\":[\"C\"]},"
    "{\"event\":\"Transfer_Owner\",\"role\":\"Owner\",\"ops\":[\"C\"]},"
    "{\"event\":\"Gate\",\"role\":\"Owner\",\"ops\":[\"C\"]}]}";

static const struct enc_route EXTRA[] = {
    {.method = ENC_METHOD_GET,
     .path = "/nodes",
     .name = "handleGetNodes",
     .read = enc_registry_read_nodes},
    {.method = ENC_METHOD_GET,
     .path = "/nodes/:id",
     .name = "handleGetNode",
     .read = enc_registry_read_node},
    {.method = ENC_METHOD_GET,
     .path = "/enclaves/:id",
     .name = "handleGetEnclave",
     .read = enc_registry_read_enclave},
    {.method = ENC_METHOD_GET,
     .path = "/resolve/:id",
     .name = "handleResolve",
     .read = enc_registry_read_resolve},
    {.method = ENC_METHOD_GET,
     .path = "/identities/:id",
     .name = "handleGetIdentity",
     .read = enc_registry_read_identity},
    {.method = ENC_METHOD_POST, .path = "/push", .name = "handlePush", .handler = enc_handle_push},
};
_Static_assert(sizeof EXTRA / sizeof EXTRA[0] == 6, "seed IV: extra routes of registry");

/* The alias that public deployments know; the seed gives the enclave itself no more routes. */
static const struct enc_route WORKER[] = {
    {.method = ENC_METHOD_GET,
     .path = "/identity/:id",
     .name = "handleGetIdentity",
     .at_root = true,
     .read = enc_registry_read_identity},
};

static const struct enc_mapper MAPPERS[] = {
    {.type = "Reg_Node", .rule = enc_reg_node_rule, .map = enc_reg_node_map},
    {.type = "Reg_Enclave", .rule = enc_reg_enclave_rule, .map = enc_reg_enclave_map},
    {.type = "Reg_Identity", .rule = enc_reg_identity_rule, .map = enc_reg_identity_map},
};

static const struct enc_dataview VIEW = {
    .mappers = MAPPERS,
    .mapper_count = sizeof MAPPERS / sizeof MAPPERS[0],
    .remove = enc_reg_remove,
    .locate = enc_registry_resolve,
};

const struct enc_service ENC_SERVICE_REGISTRY = {
    .name = "registry",
    .enclave =
        {
            .schema = {.fixed_json = SCHEMA},
            .has_dataview = true,
            .has_push = false,
            .has_bootstrap = false,
            .addressing = {.segment = 0, .name = "registry"},
            .encrypted = false,
            .extra_routes = {EXTRA, sizeof EXTRA / sizeof EXTRA[0]},
        },
    .worker_routes = {WORKER, sizeof WORKER / sizeof WORKER[0]},
    .view = &VIEW,
};
