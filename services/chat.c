/* chat: MLS-encrypted groups. The node orders ciphertext and never looks into it (seed IV,
 * protocol.md 11.4). */
#include "services/handlers.h"
#include "services/host.h"

/* protocol.md Appendix A, row by row. */
static const char SCHEMA[] =
    "{\"roles\":[\"Admin\",\"Member\"],\"schema\":["
    "{\"event\":\"Message\",\"role\":\"Member\",\"ops\":[\"C\",\"R\"]},"
    "{\"event\":\"Reaction\",\"role\":\"Member\",\"ops\":[\"C\"]},"
    "{\"event\":\"Profile\",\"role\":\"Member\",\"ops\":[\"C\"]},"
    "{\"event\":\"Topic\",\"role\":\"Admin\",\"ops\":[\"C\"]},"
    "{\"event\":\"Read\",\"role\":\"Member\",\"ops\":[\"C\"]},"
    "{\"event\":\"Grant\",\"role\":\"Owner\",\"ops\":[\"C\"],"
    "\"target_roles\":[\"Admin\",\"Member\"]},"
    "{\"event\":\"Revoke\",\"role\":\"Owner\",\"ops\":[\"C\"],"
    "\"target_roles\":[\"Admin\",\"Member\"]},"
    "{\"event\":\"*\",\"role\":\"Member\",\"ops\":[\"R\"]},"
    "{\"event\":\"Message\",\"role\":\"Self\",\"ops\":[\"U\",\"D\"]},"
    "{\"event\":\"Message\",\"role\":\"Admin\",\"ops\":[\"D\"]},"
    "{\"event\":\"Revoke\",\"role\":\"Self\",\"ops\":[\"C\"],\"target_roles\":[\"Member\"]},"
    "{\"event\":\"Mls\",\"role\":\"Member\",\"ops\":[\"C\"]},"
    "{\"event\":\"Pause\",\"role\":\"Owner\",\"ops\":[\"C\"]},"
    "{\"event\":\"Resume\",\"role\":\"Owner\",\"ops\":[\"C\"]},"
    "{\"event\":\"Terminate\",\"role\":\"Owner\",\"ops\":[\"C\"]},"
    "{\"event\":\"Migrate\",\"role\":\"Owner\",\"ops\":[\"C\"]},"
    "{\"event\":\"Transfer_Owner\",\"role\":\"Owner\",\"ops\":[\"C\"]}]}";

static const struct enc_route WORKER[] = {
    {.method = ENC_METHOD_POST,
     .path = "/api/create-group",
     .name = "handleCreateGroup",
     .at_root = true,
     .handler = enc_handle_create_group},
};

const struct enc_service ENC_SERVICE_CHAT = {
    .name = "chat",
    .enclave =
        {
            .schema = {.fixed_json = SCHEMA},
            .has_dataview = false,
            .has_push = false,
            .has_bootstrap = true,
            .addressing = {.segment = 1, .alias = "group"},
            .encrypted = false,
            .extra_routes = {.rows = NULL, .count = 0},
        },
    .worker_routes = {WORKER, sizeof WORKER / sizeof WORKER[0]},
    .is_opaque = true,
};
