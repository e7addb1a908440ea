/** How TLS handshakes end, for the metrics. */
#pragma once

#include <openssl/ssl.h>

struct enc_peer;

/** Count the handshakes of every connection that h2o makes from context. Main thread. */
void enc_handshake_watch(SSL_CTX *context);

/** The connection is gone: if its handshake never came to an end, it has failed. Loop thread. */
void enc_handshake_end(const struct enc_peer *peer);
