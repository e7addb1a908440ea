#include "services/info.h"

#include "services/answer.h"
#include "services/api.h"
#include "services/inside.h"

enum { DOCUMENT_LEN_MAX = 1 << 18 };

static void put_flag(struct enc_buffer *buffer, const char *name, bool value)
{
    enc_json_member_raw(buffer, name, value ? ENC_LIT("true") : ENC_LIT("false"));
}

static void put_services(struct enc_buffer *buffer, const struct enc_host *host)
{
    enc_json_member(buffer, "services");
    enc_json_put_raw(buffer, "{");
    for (size_t i = 0; i < enc_service_count(); i++) {
        const struct enc_service *service = enc_service_at(i);
        const char *mount = host->config.mounts ? host->config.mounts[i] : "/";
        if (!mount)
            continue;
        enc_json_member(buffer, service->name);
        enc_json_put_raw(buffer, "{");
        enc_json_member_text(buffer, "mount", enc_bytes_of_text(mount));
        put_flag(buffer, "encrypted", service->enclave.encrypted);
        put_flag(buffer, "has_dataview", service->enclave.has_dataview);
        put_flag(buffer, "has_push", service->enclave.has_push);
        enc_json_put_raw(buffer, "}");
    }
    enc_json_put_raw(buffer, "}");
}

static void put_limits(struct enc_buffer *buffer, const struct enc_limits *limits)
{
    const struct {
        const char *name;
        uint64_t value;
    } ROWS[] = {
        {"body", limits->body_len_max},
        {"content", limits->content_len_max},
        {"tags", ENC_TAG_COUNT_MAX},
        {"query", limits->query_limit_max},
        {"subscriptions", limits->subs_per_socket},
        {"mailbox", limits->mailbox_depth_max},
    };
    enc_json_member(buffer, "limits");
    enc_json_put_raw(buffer, "{");
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++)
        enc_json_member_u64(buffer, ROWS[i].name, ROWS[i].value);
    enc_json_put_raw(buffer, "}");
}

static void answer_node(struct enc_exchange *exchange)
{
    const struct enc_host *host = exchange->host;
    struct enc_buffer buffer;
    enc_buffer_init(&buffer, &exchange->arena, 1 << 16);
    enc_json_put_raw(&buffer, "{");
    enc_json_member_hex(&buffer, "seq_pub", enc_bytes_of(host->key->pub32, 32));
    enc_json_member_text(&buffer, "version", enc_bytes_of_text(host->config.version));
    put_services(&buffer, host);
    put_limits(&buffer, &host->limits);
    enc_json_member_u64(&buffer, "now", enc_host_now_ms(host));
    enc_json_put_raw(&buffer, "}");
    enc_answer_json(exchange, &buffer);
}

static void answer_api(struct enc_exchange *exchange,
                       void (*put)(struct enc_buffer *, const struct enc_api *))
{
    const struct enc_host *host = exchange->host;
    const char *const *mounts = host->config.mounts;
    struct enc_api api = {
        .service = enc_service_at(exchange->service),
        .mount = mounts && mounts[exchange->service] ? mounts[exchange->service] : "/",
        .version = host->config.version,
    };
    struct enc_buffer buffer;
    enc_buffer_init(&buffer, &exchange->arena, DOCUMENT_LEN_MAX);
    put(&buffer, &api);
    enc_answer_json(exchange, &buffer);
}

static void answer_openapi(struct enc_exchange *exchange)
{
    answer_api(exchange, enc_api_put_openapi);
}

static void answer_asyncapi(struct enc_exchange *exchange)
{
    answer_api(exchange, enc_api_put_asyncapi);
}

static const struct enc_route ROUTES[] = {
    {.method = ENC_METHOD_GET,
     .path = "/info/node",
     .name = "handleInfoNode",
     .at_root = true,
     .handler = answer_node},
    {.method = ENC_METHOD_GET,
     .path = "/openapi.json",
     .name = "handleOpenApi",
     .at_root = true,
     .handler = answer_openapi},
    {.method = ENC_METHOD_GET,
     .path = "/asyncapi.json",
     .name = "handleAsyncApi",
     .at_root = true,
     .handler = answer_asyncapi},
};
enum { ROUTE_COUNT = sizeof ROUTES / sizeof ROUTES[0] };

struct enc_routes enc_info_routes(void)
{
    return (struct enc_routes){ROUTES, ROUTE_COUNT};
}

static size_t find(struct enc_bytes path)
{
    size_t i = 0;
    while (i < ROUTE_COUNT && !enc_bytes_is(path, ROUTES[i].path))
        i++;
    return i;
}

bool enc_info_is(struct enc_bytes path)
{
    return find(path) < ROUTE_COUNT;
}

enum enc_handled enc_info_handle(struct enc_host *host, unsigned service,
                                 const struct enc_request *request)
{
    struct enc_exchange *exchange = enc_exchange_open(host, service, request);
    if (!exchange)
        return ENC_HANDLED_CALL;
    const struct enc_route *rows[ENC_ROUTE_MAX];
    size_t at = find(request->path);
    ENC_CHECK(at < ROUTE_COUNT);
    size_t count = enc_service_routes(enc_service_at(service), rows);
    exchange->route_number = (unsigned)(count - ROUTE_COUNT + at + 1);
    exchange->allow = "GET, OPTIONS";
    if (request->method == ENC_METHOD_GET)
        ROUTES[at].handler(exchange);
    else
        enc_answer_err(exchange, ENC_ERR_METHOD_NOT_ALLOWED);
    return ENC_HANDLED_CALL;
}
