#include "net/proxy.h"

#include "net/metric.h"
#include "net/server.h"
#include "proto/proxy_head.h"

#include <arpa/inet.h>
#include <stdlib.h>

struct enc_proxy_trust {
    size_t count;
    struct enc_network networks[];
};

struct enc_proxy_trust *enc_proxy_trust_new(const struct enc_config *config)
{
    size_t count = config->proxy_trusted.count;
    if (count == 0)
        return NULL;
    struct enc_proxy_trust *trust = enc_net_new(sizeof *trust + count * sizeof *trust->networks);
    for (; trust->count < count; trust->count++)
        ENC_CHECK(enc_network_parse(&trust->networks[trust->count],
                                    config->proxy_trusted.items[trust->count]));
    return trust;
}

void enc_proxy_trust_free(struct enc_proxy_trust *trust)
{
    free(trust);
}

bool enc_proxy_is_trusted(const struct enc_proxy_trust *trust, const struct sockaddr *address)
{
    for (size_t i = 0; trust && i < trust->count; i++) {
        if (enc_network_has(&trust->networks[i], address))
            return true;
    }
    return false;
}

/* False when version 1 names something that is no address of its family. */
static bool address_of(const struct enc_proxy_head *head, struct sockaddr_storage *out)
{
    char text[INET6_ADDRSTRLEN] = "";
    struct sockaddr_in *in4 = (struct sockaddr_in *)out;
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;
    void *bytes = head->family == 4 ? (void *)&in4->sin_addr : (void *)&in6->sin6_addr;
    out->ss_family = head->family == 4 ? AF_INET : AF_INET6;
    in4->sin_port = htons(head->port); /* at the same place in both */
    if (head->address.len) {
        memcpy(bytes, head->address.data, head->address.len);
        return true;
    }
    if (head->text.len >= sizeof text)
        return false;
    memcpy(text, head->text.data, head->text.len);
    return inet_pton(out->ss_family, text, bytes) == 1;
}

static void refuse(struct enc_peer *peer)
{
    enc_metric_add(ENC_METRIC_REFUSED_PROXY, 1);
    h2o_socket_close(peer->sock);
}

static void begin(struct enc_peer *peer, const struct enc_proxy_head *head)
{
    struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
    if (head->family && !address_of(head, &address)) {
        refuse(peer);
        return;
    }
    peer->proxy_by_ms = 0;
    h2o_socket_read_stop(peer->sock);
    h2o_buffer_consume(&peer->sock->input, head->len);
    enc_peer_begin(peer, head->family ? (struct sockaddr *)&address : NULL);
}

static void on_read(h2o_socket_t *sock, const char *err)
{
    struct enc_proxy_head head;
    struct enc_peer *peer = enc_peer_of_socket(sock);
    if (err) {
        h2o_socket_close(sock);
        return;
    }
    enum enc_proxy_status status =
        enc_proxy_head_read(&head, enc_bytes_of(sock->input->bytes, sock->input->size));
    if (status == ENC_PROXY_WRONG)
        refuse(peer);
    else if (status == ENC_PROXY_WHOLE)
        begin(peer, &head);
}

void enc_proxy_await(struct enc_peer *peer)
{
    const struct enc_config *config = peer->loop->server->config;
    peer->proxy_by_ms = enc_loop_now_ms(peer->loop) + config->handshake_timeout_ms;
    h2o_socket_read_start(peer->sock, on_read);
}

void enc_proxy_sweep(struct enc_loop *loop)
{
    if (!loop->server->proxy_trust)
        return;
    uint64_t now_ms = enc_loop_now_ms(loop);
    for (const struct enc_peer *peer = loop->peers; peer; peer = peer->next) {
        if (!peer->proxy_by_ms || (!loop->is_draining && now_ms < peer->proxy_by_ms))
            continue;
        enc_metric_add(ENC_METRIC_REFUSED_PROXY, !loop->is_draining);
        enc_peer_kill(peer);
    }
}
