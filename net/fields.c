#include "net/fields.h"

#include "net/peer.h"
#include "net/server.h"

#include <stdio.h>

/* Names are told apart by their text, so that those h2o has no token for are made once. */
struct row {
    h2o_iovec_t name;
    const char *value;
};

#define NAME(text)                                                                                 \
    {                                                                                              \
        (char *)(uintptr_t)(text), sizeof(text) - 1                                                \
    }
enum { ALLOW_ORIGIN, VARY, EXPOSE, HSTS, NOSNIFF, NAMES };
static h2o_iovec_t names[NAMES] = {
    [ALLOW_ORIGIN] = NAME("access-control-allow-origin"),
    [VARY] = NAME("vary"),
    [EXPOSE] = NAME("access-control-expose-headers"),
    [HSTS] = NAME("strict-transport-security"),
    [NOSNIFF] = NAME("x-content-type-options"),
};

static struct row security[] = {
    {NAME("referrer-policy"), "no-referrer"},
    {NAME("content-security-policy"), "default-src 'none'; frame-ancestors 'none'"},
};
static h2o_iovec_t resource_policy = NAME("cross-origin-resource-policy");

static struct row preflight[] = {
    {NAME("access-control-allow-methods"), "GET, POST, OPTIONS"},
    {NAME("access-control-allow-headers"),
     "Content-Type, Last-Event-ID, Traceparent, X-Request-Id"},
    {NAME("access-control-max-age"), "86400"},
};
#undef NAME

static const char EXPOSED[] =
    "ETag, RateLimit, RateLimit-Policy, Retry-After, Traceresponse, X-Request-Id";

static void put(struct enc_fields *fields, h2o_iovec_t *name, const char *value)
{
    ENC_CHECK(fields->count < ENC_FIELDS_MAX);
    fields->items[fields->count++] = (h2o_header_t){
        .name = name,
        .value = h2o_iovec_init(value, strlen(value)),
    };
}

void enc_fields_init(struct enc_fields *fields, const struct enc_config *config, bool is_tls)
{
    bool is_open = config->cors_origins.count == 0;
    *fields = (struct enc_fields){.count = 0};
    put(fields, &names[NOSNIFF], "nosniff");
    for (size_t i = 0; i < sizeof security / sizeof *security; i++)
        put(fields, &security[i].name, security[i].value);
    put(fields, &resource_policy, is_open ? "cross-origin" : "same-origin");
    if (is_open)
        put(fields, &names[ALLOW_ORIGIN], "*");
    if (!is_tls || config->tls_hsts_s == 0)
        return;
    snprintf(fields->hsts, sizeof fields->hsts, "max-age=%llu",
             (unsigned long long)config->tls_hsts_s);
    put(fields, &names[HSTS], fields->hsts);
}

static void add(h2o_req_t *req, h2o_iovec_t *name, h2o_iovec_t value)
{
    h2o_headers_t *headers = &req->res.headers;
    h2o_vector_reserve(&req->pool, headers, headers->size + 1);
    headers->entries[headers->size++] = (h2o_header_t){.name = name, .value = value};
}

static const h2o_iovec_t *origin_of(const h2o_req_t *req)
{
    ssize_t at = h2o_find_header_by_str(&req->headers, H2O_STRLIT("origin"), -1);
    return at == -1 ? NULL : &req->headers.entries[at].value;
}

static bool is_allowed(const struct enc_config_list *origins, const h2o_iovec_t *origin)
{
    for (size_t i = 0; i < origins->count; i++) {
        if (h2o_memis(origin->base, origin->len, origins->items[i], strlen(origins->items[i])))
            return true;
    }
    return false;
}

/* Without a list everybody may read; with one it depends on who asks, and caches are told. */
static void add_cors(h2o_req_t *req, const struct enc_config_list *origins)
{
    const h2o_iovec_t *origin = origin_of(req);
    bool reads = origin && (origins->count == 0 || is_allowed(origins, origin));
    if (origins->count > 0)
        add(req, &names[VARY], h2o_iovec_init(H2O_STRLIT("Origin")));
    if (reads && origins->count > 0)
        add(req, &names[ALLOW_ORIGIN], *origin);
    if (reads)
        add(req, &names[EXPOSE], h2o_iovec_init(H2O_STRLIT(EXPOSED)));
}

void enc_fields_add(h2o_req_t *req)
{
    const struct enc_peer *peer = enc_peer_of_request(req);
    const struct enc_server *server = enc_loop_of_request(req)->server;
    const struct enc_fields *fields = &server->fields[peer && peer->kind == ENC_LISTENER_TLS];
    h2o_headers_t *headers = &req->res.headers;
    h2o_vector_reserve(&req->pool, headers, headers->size + fields->count + 4);
    memcpy(headers->entries + headers->size, fields->items, fields->count * sizeof *fields->items);
    headers->size += fields->count;
    add_cors(req, &server->config->cors_origins);
}

bool enc_fields_are_in(const h2o_headers_t *headers)
{
    for (size_t i = 0; i < headers->size; i++) {
        if (headers->entries[i].name == &names[NOSNIFF])
            return true;
    }
    return false;
}

void enc_fields_add_preflight(h2o_req_t *req)
{
    for (size_t i = 0; i < sizeof preflight / sizeof *preflight; i++)
        add(req, &preflight[i].name,
            h2o_iovec_init(preflight[i].value, strlen(preflight[i].value)));
}

bool enc_fields_origin_is_valid(const char *text)
{
    static const char HOST[] = "abcdefghijklmnopqrstuvwxyz0123456789.-_:[]";
    const char *host = strncmp(text, "https://", 8) == 0  ? text + 8
                       : strncmp(text, "http://", 7) == 0 ? text + 7
                                                          : NULL;
    return host && *host && host[strspn(host, HOST)] == '\0';
}
