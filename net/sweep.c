#include "net/sweep.h"

#include "net/metric.h"
#include "net/peer.h"
#include "net/server.h"

static bool is_set(const struct timeval *at)
{
    return at->tv_sec != 0;
}

static bool is_older(const struct timeval *at, const struct timeval *now, uint64_t age_ms)
{
    int64_t seconds = now->tv_sec - at->tv_sec;
    return seconds * 1000 + (now->tv_usec - at->tv_usec) / 1000 >= (int64_t)age_ms;
}

static int cut_slow(h2o_req_t *req, void *opaque)
{
    struct enc_loop *loop = opaque;
    const struct enc_config *config = loop->server->config;
    const struct timeval *now = h2o_get_timestamp(&loop->http, NULL, NULL);
    const struct timeval *begun = &req->timestamps.request_begin_at;
    const struct timeval *answered = &req->timestamps.response_start_at;
    enum enc_metric reason = ENC_METRIC_COUNT;
    if (!is_set(&req->processed_at.at) && is_set(begun) &&
        is_older(begun, now, config->request_timeout_ms))
        reason = ENC_METRIC_REFUSED_SLOW_REQUEST;
    if (is_set(answered) && is_older(answered, now, config->response_timeout_ms))
        reason = ENC_METRIC_REFUSED_SLOW_RESPONSE;
    const struct enc_peer *peer = enc_peer_of_request(req);
    if (peer && reason != ENC_METRIC_COUNT) {
        enc_metric_add(reason, 1);
        enc_peer_kill(peer);
    }
    return 0;
}

void enc_sweep_slow(struct enc_loop *loop)
{
    h2o_globalconf_t *global = loop->http.globalconf;
    global->http1.callbacks.foreach_request(&loop->http, cut_slow, loop);
    global->http2.callbacks.foreach_request(&loop->http, cut_slow, loop);
}

/* Reading ends, so an idle connection closes; what is at work does not read and finishes. */
static int close_idle(h2o_req_t *req, void *opaque)
{
    (void)opaque;
    struct enc_peer *peer = enc_peer_of_request(req);
    if (peer->kind != ENC_LISTENER_ADMIN && !is_set(&req->timestamps.request_begin_at))
        shutdown(h2o_socket_get_fd(peer->sock), SHUT_RD);
    return 0;
}

void enc_sweep_idle(struct enc_loop *loop)
{
    loop->http.globalconf->http1.callbacks.foreach_request(&loop->http, close_idle, loop);
}
