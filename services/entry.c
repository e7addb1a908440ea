/* The way in from net: one request becomes one exchange and finds its handler. On the loop. */
#include "services/answer.h"
#include "services/info.h"
#include "services/inside.h"
#include "services/read.h"
#include "services/router.h"

/* Everything a handler reads later must outlive the request. */
static enum enc_err copy_views(struct enc_exchange *exchange, const struct enc_request *request)
{
    exchange->query = enc_arena_copy(&exchange->arena, request->query);
    exchange->body = enc_arena_copy(&exchange->arena, request->body);
    bool has_all = exchange->query.data && exchange->body.data;
    return has_all ? ENC_ERR_OK : ENC_ERR_TOO_LARGE;
}

static void enter(struct enc_exchange *exchange, const struct enc_route *route)
{
    if (route->read)
        enc_read_route(exchange);
    else
        route->handler(exchange);
}

static void run_handler(struct enc_exchange *exchange, const struct enc_request *request,
                        const struct enc_routed *routed)
{
    enum enc_err err = copy_views(exchange, request);
    exchange->route = routed->route;
    exchange->route_number = routed->number;
    memcpy(exchange->param32, routed->param32, 32);
    if (err != ENC_ERR_OK)
        enc_answer_err(exchange, err);
    else
        enter(exchange, routed->route);
}

/* Who asks a singleton names no enclave; on a POST the body may (8.1). */
static void aim_singleton(struct enc_target *target, const struct enc_host *host, unsigned service)
{
    bool is_singleton = enc_service_at(service)->enclave.addressing.segment == 0;
    if (target->has_enclave || !is_singleton)
        return;
    target->has_enclave = true;
    memcpy(target->enclave32, host->singletons32[service], 32);
}

static void place_at(struct enc_ws_place *place, unsigned service, const struct enc_target *target)
{
    *place = (struct enc_ws_place){.service = service, .has_enclave = target->has_enclave};
    memcpy(place->enclave32, target->enclave32, 32);
}

/* The stream of an enclave's events stands beside the route table, as /info/node does: it is the
 * WebSocket's route in another form, and is counted as that. */
static bool is_stream(const struct enc_target *target, const struct enc_request *request)
{
    return request->is_stream && request->method == ENC_METHOD_GET &&
           enc_bytes_is(target->action, "/events");
}

static enum enc_handled open_stream(struct enc_ws_place *place, unsigned service,
                                    const struct enc_target *target)
{
    place_at(place, service, target);
    place->is_stream = true;
    place->route = enc_route_ws(enc_service_at(service));
    return ENC_HANDLED_STREAM;
}

enum enc_handled enc_host_handle(struct enc_host *host, unsigned service,
                                 const struct enc_request *request, struct enc_ws_place *place)
{
    const struct enc_service *of = enc_service_at(service);
    struct enc_target target;
    struct enc_routed routed = {.allow = NULL};
    if (enc_info_is(request->path))
        return enc_info_handle(host, service, request);
    enum enc_err err = enc_target_parse(&target, &of->enclave, request->path);
    if (err == ENC_ERR_OK && is_stream(&target, request)) {
        aim_singleton(&target, host, service);
        if (target.has_enclave)
            return open_stream(place, service, &target);
    }
    if (err == ENC_ERR_OK)
        err = enc_route_find(&routed, of, &target, request);
    if (err == ENC_ERR_OK && request->method == ENC_METHOD_GET)
        aim_singleton(&target, host, service);
    if (err == ENC_ERR_OK && routed.route->is_ws) {
        place_at(place, service, &target);
        place->route = routed.number;
        return ENC_HANDLED_UPGRADE;
    }
    struct enc_exchange *exchange = enc_exchange_open(host, service, request);
    if (!exchange)
        return ENC_HANDLED_CALL;
    exchange->has_enclave = target.has_enclave;
    memcpy(exchange->enclave32, target.enclave32, 32);
    exchange->allow = routed.allow;
    if (err == ENC_ERR_OK)
        run_handler(exchange, request, &routed);
    else
        enc_answer_err(exchange, err);
    return ENC_HANDLED_CALL;
}
