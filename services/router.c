#include "services/router.h"

#include "proto/base/hex.h"
#include "services/info.h"

/* Cut the first segment off: "/a/b" becomes "a" and "/b". */
static struct enc_bytes first_segment(struct enc_bytes *rest)
{
    size_t len = 1;
    while (len < rest->len && rest->data[len] != '/')
        len++;
    struct enc_bytes segment = enc_bytes_of(rest->data + 1, len - 1);
    *rest = enc_bytes_of(rest->data + len, rest->len - len);
    return segment;
}

static bool is_enclave_word(const struct enc_enclave *enclave, struct enc_bytes segment)
{
    const char *alias = enclave->addressing.alias;
    return enc_bytes_is(segment, "enclave") || (alias && enc_bytes_is(segment, alias));
}

static struct enc_bytes or_root(struct enc_bytes rest)
{
    return rest.len ? rest : ENC_LIT("/");
}

enum enc_err enc_target_parse(struct enc_target *out, const struct enc_enclave *enclave,
                              struct enc_bytes path)
{
    *out = (struct enc_target){.action = or_root(path)};
    if (path.len == 0 || path.data[0] != '/')
        return path.len == 0 ? ENC_ERR_OK : ENC_ERR_INVALID_ROUTE;
    struct enc_bytes rest = path;
    struct enc_bytes segment = first_segment(&rest);
    bool is_named = is_enclave_word(enclave, segment);
    if (is_named && rest.len)
        segment = first_segment(&rest);
    else if (is_named)
        return ENC_ERR_INVALID_ROUTE;
    bool is_founding = is_named && enclave->has_bootstrap && enc_bytes_is(rest, "/_bootstrap");
    if (is_founding) {
        out->action = rest; /* whatever id stands before it: there is none yet (11.6) */
        return ENC_ERR_OK;
    }
    out->has_enclave = enc_hex_decode(out->enclave32, 32, segment);
    if (out->has_enclave)
        out->action = or_root(rest);
    return is_named && !out->has_enclave ? ENC_ERR_INVALID_ROUTE : ENC_ERR_OK;
}

/* "/nodes/:id" fits "/nodes/<hex64>". */
static bool fits(const char *pattern, struct enc_bytes action, uint8_t param32[32])
{
    const char *colon = strchr(pattern, ':');
    if (!colon)
        return enc_bytes_is(action, pattern);
    size_t head_len = (size_t)(colon - pattern);
    if (action.len <= head_len || memcmp(action.data, pattern, head_len) != 0)
        return false;
    return enc_hex_decode(param32, 32, enc_bytes_of(action.data + head_len, action.len - head_len));
}

static bool reaches(const struct enc_enclave *enclave, const struct enc_target *target,
                    const struct enc_route *route)
{
    bool is_root_row = route->path[1] == '\0';
    if (target->has_enclave || enclave->addressing.segment == 0)
        return !route->at_root || !target->has_enclave;
    return is_root_row || route->at_root;
}

size_t enc_service_routes(const struct enc_service *service,
                          const struct enc_route *rows[ENC_ROUTE_MAX])
{
    size_t count = enc_enclave_routes(&service->enclave, rows);
    struct enc_routes node = enc_info_routes();
    ENC_CHECK(count + service->worker_routes.count + node.count <= ENC_ROUTE_MAX);
    for (size_t i = 0; i < service->worker_routes.count; i++)
        rows[count++] = &service->worker_routes.rows[i];
    for (size_t i = 0; i < node.count; i++)
        rows[count++] = &node.rows[i];
    return count;
}

const char *enc_route_name(struct enc_route_place place)
{
    const struct enc_route *rows[ENC_ROUTE_MAX];
    if (!place.is_known || place.route == 0)
        return "none";
    ENC_CHECK(place.route <= enc_service_routes(enc_service_at(place.service), rows));
    return rows[place.route - 1]->path;
}

unsigned enc_route_ws(const struct enc_service *service)
{
    const struct enc_route *rows[ENC_ROUTE_MAX];
    size_t count = enc_service_routes(service, rows);
    for (size_t i = 0; i < count; i++)
        if (rows[i]->is_ws)
            return (unsigned)i + 1;
    return 0;
}

enum enc_err enc_route_find(struct enc_routed *out, const struct enc_service *service,
                            const struct enc_target *target, const struct enc_request *request)
{
    const struct enc_route *rows[ENC_ROUTE_MAX];
    size_t count = enc_service_routes(service, rows);
    bool has_get = false;
    bool has_post = false;
    *out = (struct enc_routed){.route = NULL};
    for (size_t i = 0; i < count; i++) {
        if (!reaches(&service->enclave, target, rows[i]) ||
            !fits(rows[i]->path, target->action, out->param32))
            continue;
        has_get |= rows[i]->method == ENC_METHOD_GET && !rows[i]->is_ws;
        has_post |= rows[i]->method == ENC_METHOD_POST;
        if (rows[i]->method != request->method || rows[i]->is_ws != request->is_upgrade)
            continue;
        out->route = rows[i];
        out->number = (unsigned)i + 1;
    }
    if (out->route)
        return ENC_ERR_OK;
    out->allow = has_get && has_post ? "GET, POST, OPTIONS"
                 : has_get           ? "GET, OPTIONS"
                                     : "POST, OPTIONS";
    return has_get || has_post ? ENC_ERR_METHOD_NOT_ALLOWED : ENC_ERR_INVALID_ROUTE;
}
