#include "services/enclave.h"

#include "services/handlers.h"
#include "services/read.h"

static const struct enc_route PROTOCOL[] = {
    {.method = ENC_METHOD_POST,
     .path = "/",
     .name = "handleMultiplexedPost",
     .handler = enc_handle_multiplexed_post},
    {.method = ENC_METHOD_GET, .path = "/sth", .name = "handleSTH", .read = enc_read_sth},
    {.method = ENC_METHOD_POST,
     .path = "/inclusion",
     .name = "handleInclusion",
     .read = enc_read_inclusion},
    {.method = ENC_METHOD_POST, .path = "/state", .name = "handleState", .read = enc_read_state},
    {.method = ENC_METHOD_GET,
     .path = "/info/manifest",
     .name = "handleInfoManifest",
     .read = enc_read_manifest},
    {.method = ENC_METHOD_GET,
     .path = "/info/enclave",
     .name = "handleInfoEnclave",
     .read = enc_read_enclave},
};
enum { PROTOCOL_COUNT = sizeof PROTOCOL / sizeof PROTOCOL[0] };
_Static_assert(PROTOCOL_COUNT == 6, "seed VIII: protocol_routes_count");

static const struct enc_route WEBSOCKET = {
    .method = ENC_METHOD_GET, .path = "/", .name = "handleWebSocketUpgrade", .is_ws = true};

static const struct enc_route BOOTSTRAP = {
    .method = ENC_METHOD_POST,
    .path = "/_bootstrap",
    .name = "handleBootstrap",
    .at_root = true,
    .handler = enc_handle_bootstrap,
};

struct enc_routes enc_protocol_routes(void)
{
    return (struct enc_routes){PROTOCOL, PROTOCOL_COUNT};
}

static size_t append(const struct enc_route *rows[ENC_ROUTE_MAX], size_t count,
                     struct enc_routes more)
{
    ENC_CHECK(count + more.count <= ENC_ROUTE_MAX);
    for (size_t i = 0; i < more.count; i++)
        rows[count + i] = &more.rows[i];
    return count + more.count;
}

size_t enc_enclave_routes(const struct enc_enclave *enclave,
                          const struct enc_route *rows[ENC_ROUTE_MAX])
{
    size_t count = append(rows, 0, enc_protocol_routes());
    count = append(rows, count, (struct enc_routes){&WEBSOCKET, 1});
    if (enclave->has_bootstrap)
        count = append(rows, count, (struct enc_routes){&BOOTSTRAP, 1});
    return append(rows, count, enclave->extra_routes);
}

size_t enc_enclave_tables(const struct enc_enclave *enclave, const char *names[ENC_TABLE_MAX])
{
    names[0] = "node";
    names[1] = "sync_state";
    return enclave->has_dataview ? 2 : 1;
}

size_t enc_enclave_reads(const struct enc_enclave *enclave,
                         const struct enc_route *rows[ENC_ROUTE_MAX])
{
    size_t count = 0;
    for (size_t i = 0; enclave->has_dataview && i < enclave->extra_routes.count; i++)
        if (enclave->extra_routes.rows[i].method == ENC_METHOD_GET)
            rows[count++] = &enclave->extra_routes.rows[i];
    return count;
}
