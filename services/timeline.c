/* timeline: public microblogs, one enclave per user, plain text (seed IV, protocol.md 11.5). Its
 * rows are in timeline.h, the way into them in timeline_map.c, out of them in timeline_reads.c and
 * timeline_lists.c. */
#include "services/handlers.h"
#include "services/host.h"
#include "services/timeline_reads.h"

/* protocol.md Appendix A, row by row. */
static const char SCHEMA[] =
    "{\"roles\":[\"DataView\"],\"schema\":["
    "{\"event\":\"Post\",\"role\":\"Owner\",\"ops\":[\"C\"]},"
    "{\"event\":\"Profile\",\"role\":\"Owner\",\"ops\":[\"C\"]},"
    "{\"event\":\"Like\",\"role\":\"Any\",\"ops\":[\"C\"]},"
    "{\"event\":\"Unlike\",\"role\":\"Any\",\"ops\":[\"C\"]},"
    "{\"event\":\"Follow\",\"role\":\"Owner\",\"ops\":[\"C\"]},"
    "{\"event\":\"Unfollow\",\"role\":\"Owner\",\"ops\":[\"C\"]},"
    "{\"event\":\"Post\",\"role\":\"Self\",\"ops\":[\"U\",\"D\"]},"
    "{\"event\":\"Profile\",\"role\":\"Self\",\"ops\":[\"U\",\"D\"]},"
    "{\"event\":\"Like\",\"role\":\"Self\",\"ops\":[\"D\"]},"
    "{\"event\":\"*\",\"role\":\"Public\",\"ops\":[\"R\"]},"
    "{\"event\":\"*\",\"role\":\"DataView\",\"ops\":[\"P\"]},"
    "{\"event\":\"Grant\",\"role\":\"Owner\",\"ops\":[\"C\"],\"target_roles\":[\"DataView\"]},"
    "{\"event\":\"Grant_Push\",\"role\":\"Owner\",\"ops\":[\"C\"],"
    "\"target_roles\":[\"DataView\"]},"
    "{\"event\":\"Revoke\",\"role\":\"Owner\",\"ops\":[\"C\"],\"target_roles\":[\"DataView\"]},"
    "{\"event\":\"Pause\",\"role\":\"Owner\",\"ops\":[\"C\"]},"
    "{\"event\":\"Resume\",\"role\":\"Owner\",\"ops\":[\"C\"]},"
    "{\"event\":\"Terminate\",\"role\":\"Owner\",\"ops\":[\"C\"]},"
    "{\"event\":\"Migrate\",\"role\":\"Owner\",\"ops\":[\"C\"]},"
    "{\"event\":\"Transfer_Owner\",\"role\":\"Owner\",\"ops\":[\"C\"]}]}";

static const struct enc_route EXTRA[] = {
    {.method = ENC_METHOD_GET,
     .path = "/posts",
     .name = "handleGetPosts",
     .read = enc_timeline_read_posts},
    {.method = ENC_METHOD_GET,
     .path = "/posts/:id",
     .name = "handleGetPost",
     .read = enc_timeline_read_post},
    {.method = ENC_METHOD_GET,
     .path = "/feed",
     .name = "handleGetFeed",
     .read = enc_timeline_read_feed},
    {.method = ENC_METHOD_GET,
     .path = "/likes/:ref",
     .name = "handleGetLikes",
     .read = enc_timeline_read_likes},
    {.method = ENC_METHOD_GET,
     .path = "/profile/:id",
     .name = "handleGetProfile",
     .read = enc_timeline_read_profile},
    {.method = ENC_METHOD_GET,
     .path = "/search",
     .name = "handleSearch",
     .read = enc_timeline_read_search},
    {.method = ENC_METHOD_POST, .path = "/push", .name = "handlePush", .handler = enc_handle_push},
    {.method = ENC_METHOD_GET,
     .path = "/health",
     .name = "handleHealth",
     .read = enc_timeline_read_health},
};
_Static_assert(sizeof EXTRA / sizeof EXTRA[0] == 8, "seed IV: extra routes of timeline");

const struct enc_service ENC_SERVICE_TIMELINE = {
    .name = "timeline",
    .enclave =
        {
            .schema = {.fixed_json = SCHEMA},
            .has_dataview = true,
            .has_push = false,
            .has_bootstrap = true,
            .addressing = {.segment = 1, .alias = "user"},
            .encrypted = false,
            .extra_routes = {EXTRA, sizeof EXTRA / sizeof EXTRA[0]},
        },
    .view = &ENC_TIMELINE_VIEW,
};
