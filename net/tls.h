/** The TLS side of a listener, over OpenSSL as h2o uses it. */
#pragma once

#include "proto/base/check.h"

#include <h2o.h>

/** Why a certificate was not taken; one line for people. */
struct enc_tls_fault {
    char text[384];
};

/**
 * A server context of certificate chain and key (PEM files): TLS 1.2 and up, no renegotiation, no
 * compression, ALPN h2 and http/1.1. The caller's one reference is dropped with SSL_CTX_free. NULL
 * with the fault filled when a file cannot be read or the two do not belong together. Any thread;
 * blocks on the files.
 */
ENC_MUST_USE SSL_CTX *enc_tls_open(struct enc_tls_fault *fault, const char *certificate_path,
                                   const char *key_path);
