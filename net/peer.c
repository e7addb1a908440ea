#include "net/peer.h"

#include "net/address.h"
#include "net/handshake.h"
#include "net/metric.h"
#include "net/origin.h"
#include "net/proxy.h"
#include "net/server.h"

#include <stdlib.h>
#include <unistd.h>

static void link_peer(struct enc_peer *peer)
{
    struct enc_loop *loop = peer->loop;
    peer->next = loop->peers;
    if (peer->next)
        peer->next->prev = peer;
    loop->peers = peer;
    loop->peer_counts[peer->kind]++;
    enc_metric_add(ENC_METRIC_CONNECTIONS_OPEN, 1);
}

static void unlink_peer(struct enc_peer *peer)
{
    struct enc_loop *loop = peer->loop;
    if (peer->next)
        peer->next->prev = peer->prev;
    if (peer->prev)
        peer->prev->next = peer->next;
    else
        loop->peers = peer->next;
    loop->peer_counts[peer->kind]--;
    enc_metric_add(ENC_METRIC_CONNECTIONS_OPEN, -1);
}

void enc_peer_hold(struct enc_peer *peer)
{
    peer->holds++;
}

void enc_peer_drop(struct enc_peer *peer)
{
    ENC_CHECK(peer->holds > 0);
    if (--peer->holds == 0)
        free(peer);
}

static bool is_counted(const struct enc_peer *peer)
{
    return peer->kind != ENC_LISTENER_ADMIN;
}

static void on_socket_close(void *opaque)
{
    struct enc_peer *peer = opaque;
    peer->sock = NULL;
    unlink_peer(peer);
    enc_handshake_end(peer);
    if (peer->has_room)
        enc_origins_give(peer->loop->server->origins, peer->bucket16, ENC_ORIGIN_CONNECTION);
    enc_peer_drop(peer);
}

static bool has_room_for_all(const struct enc_peer *peer)
{
    const struct enc_server *server = peer->loop->server;
    if (!is_counted(peer) ||
        enc_metric_get(ENC_METRIC_CONNECTIONS_OPEN) < (int64_t)server->connections_max)
        return true;
    enc_metric_add(ENC_METRIC_REFUSED_CONNECTIONS, 1);
    return false;
}

/* Whether there is room; what is taken here on_socket_close gives back. */
static bool take_room(struct enc_peer *peer)
{
    if (!is_counted(peer))
        return true;
    struct enc_origins *origins = peer->loop->server->origins;
    peer->has_room = enc_origins_take(origins, peer->bucket16, ENC_ORIGIN_CONNECTION);
    if (!peer->has_room)
        enc_metric_add(ENC_METRIC_REFUSED_ADDRESS, 1);
    return peer->has_room;
}

static void free_tcp(uv_handle_t *handle)
{
    free(handle);
}

static void close_tcp(uv_tcp_t *tcp)
{
    uv_close((uv_handle_t *)tcp, free_tcp);
}

/* Whether who connected will say for whom. */
static bool look(struct enc_peer *peer, const uv_tcp_t *tcp)
{
    struct sockaddr_storage storage = {.ss_family = AF_UNSPEC};
    const struct sockaddr *address = (const struct sockaddr *)&storage;
    int len = sizeof storage;
    uv_tcp_getpeername(tcp, (struct sockaddr *)&storage, &len);
    enc_address_bucket(peer->bucket16, address);
    return is_counted(peer) && enc_proxy_is_trusted(peer->loop->server->proxy_trust, address);
}

static void adopt(struct enc_peer *peer, uv_tcp_t *tcp)
{
    uv_tcp_nodelay(tcp, 1);
    peer->sock = h2o_uv_socket_create((uv_stream_t *)tcp, free_tcp);
    peer->sock->on_close.cb = on_socket_close;
    peer->sock->on_close.data = peer;
    peer->holds = 1;
    link_peer(peer);
    enc_metric_add(ENC_METRIC_CONNECTIONS, 1);
}

static void speak(struct enc_peer *peer)
{
    h2o_accept(&peer->loop->listeners[peer->kind].accept, peer->sock);
}

void enc_peer_begin(struct enc_peer *peer, struct sockaddr *address)
{
    if (address) {
        socklen_t len = address->sa_family == AF_INET ? sizeof(struct sockaddr_in)
                                                      : sizeof(struct sockaddr_in6);
        enc_address_bucket(peer->bucket16, address);
        h2o_socket_setpeername(peer->sock, address, len);
    }
    if (take_room(peer))
        speak(peer);
    else
        h2o_socket_close(peer->sock);
}

void enc_peer_accept(struct enc_listener *listener, int fd)
{
    uv_tcp_t *tcp = enc_net_new(sizeof *tcp);
    ENC_CHECK(uv_tcp_init(&listener->loop->uv, tcp) == 0);
    if (uv_tcp_open(tcp, fd) != 0) {
        close(fd);
        close_tcp(tcp);
        return;
    }
    struct enc_peer *peer = enc_net_new(sizeof *peer);
    peer->loop = listener->loop;
    peer->kind = listener->kind;
    bool is_proxied = look(peer, tcp);
    if (!has_room_for_all(peer) || (!is_proxied && !take_room(peer))) {
        close_tcp(tcp);
        free(peer);
        return;
    }
    adopt(peer, tcp);
    if (is_proxied)
        enc_proxy_await(peer);
    else
        speak(peer);
}

struct enc_peer *enc_peer_of_socket(const h2o_socket_t *sock)
{
    return sock->on_close.data;
}

struct enc_peer *enc_peer_of_request(const h2o_req_t *req)
{
    const h2o_socket_t *sock = req->conn->callbacks->get_socket(req->conn);
    return sock ? enc_peer_of_socket(sock) : NULL;
}

void enc_peer_kill(const struct enc_peer *peer)
{
    if (peer->sock)
        shutdown(h2o_socket_get_fd(peer->sock), SHUT_RDWR);
}
