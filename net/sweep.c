#include "net/sweep.h"

#include "net/metric.h"
#include "net/peer.h"
#include "net/server.h"
#include "net/ticket.h"

enum {
    ARRIVING_MS = 2000, /* a request that takes longer than this to arrive is counted ... */
    ARRIVING_MAX = 4,   /* ... and a connection with more of them is cut */
};

static bool is_set(const struct timeval *at)
{
    return at->tv_sec != 0;
}

static bool is_older(const struct timeval *at, const struct timeval *now, uint64_t age_ms)
{
    int64_t seconds = now->tv_sec - at->tv_sec;
    return seconds * 1000 + (now->tv_usec - at->tv_usec) / 1000 >= (int64_t)age_ms;
}

/* One connection of HTTP/2 may send a hundred bodies at once, and all of them wait in memory. */
static bool has_many_arriving(struct enc_peer *peer)
{
    if (peer->arriving_at != peer->loop->sweep_count)
        peer->arriving = 0;
    peer->arriving_at = peer->loop->sweep_count;
    return ++peer->arriving > ARRIVING_MAX;
}

static bool is_slow_request(const h2o_req_t *req, struct enc_peer *peer, const struct timeval *now)
{
    const struct timeval *begun = &req->timestamps.request_begin_at;
    if (is_set(&req->processed_at.at) || !is_set(begun))
        return false;
    if (is_older(begun, now, ARRIVING_MS) && has_many_arriving(peer))
        return true;
    return is_older(begun, now, peer->loop->server->config->request_timeout_ms);
}

static bool is_slow_response(h2o_req_t *req, struct enc_peer *peer, const struct timeval *now)
{
    const struct timeval *answered = &req->timestamps.response_start_at;
    return is_set(answered) && !enc_ticket_of(req)->is_stream &&
           is_older(answered, now, peer->loop->live.response_timeout_ms);
}

static void cut(const struct enc_peer *peer, enum enc_metric reason)
{
    enc_metric_add(reason, 1);
    enc_peer_kill(peer);
}

static int cut_slow(h2o_req_t *req, void *opaque)
{
    struct enc_loop *loop = opaque;
    const struct timeval *now = h2o_get_timestamp(&loop->http, NULL, NULL);
    struct enc_peer *peer = enc_peer_of_request(req);
    if (peer && is_slow_request(req, peer, now))
        cut(peer, ENC_METRIC_REFUSED_SLOW_REQUEST);
    if (peer && is_slow_response(req, peer, now))
        cut(peer, ENC_METRIC_REFUSED_SLOW_RESPONSE);
    return 0;
}

void enc_sweep_slow(struct enc_loop *loop)
{
    h2o_globalconf_t *global = loop->http.globalconf;
    loop->sweep_count++;
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
