#include "net/handshake.h"

#include "net/metric.h"
#include "net/peer.h"

/* h2o reads and writes through a BIO that knows its socket. In TLS 1.3 what follows the handshake
 * is reported as one, too. */
static void on_info(const SSL *ssl, int where, int result)
{
    (void)result;
    if (!(where & SSL_CB_HANDSHAKE_DONE))
        return;
    struct enc_peer *peer = enc_peer_of_socket(BIO_get_data(SSL_get_rbio(ssl)));
    if (peer->is_shaken || peer->kind != ENC_LISTENER_TLS)
        return;
    peer->is_shaken = true;
    enc_metric_add(SSL_version(ssl) == TLS1_3_VERSION ? ENC_METRIC_HANDSHAKES_13
                                                      : ENC_METRIC_HANDSHAKES_12,
                   1);
}

void enc_handshake_watch(SSL_CTX *context)
{
    SSL_CTX_set_info_callback(context, on_info);
}

void enc_handshake_end(const struct enc_peer *peer)
{
    if (peer->kind == ENC_LISTENER_TLS && !peer->is_shaken)
        enc_metric_add(ENC_METRIC_HANDSHAKES_FAILED, 1);
}
