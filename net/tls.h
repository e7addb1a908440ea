/** The TLS side of a listener, over OpenSSL as h2o uses it. */
#pragma once

#include "net/config.h"

#include <h2o.h>

/** Why a certificate was not taken; one line for people. */
struct enc_tls_fault {
    char text[384];
};

/** What a listener shows and asks for. Paths of PEM files; "" is none. */
struct enc_tls_setup {
    const char *certificate; /* the chain shown to whoever asks for no name we have */
    const char *key;
    const struct enc_config_list *more; /* "CHAIN:KEY" each, by the names in the certificate */
    const char *client_ca;              /* who must have signed the client's certificate */
};

/**
 * A server context: TLS 1.2 and up, forward secrecy and authenticated ciphers only, no
 * renegotiation, no compression, ALPN h2 and http/1.1, sessions resumed by tickets whose key lives
 * as long as the context. The caller's one reference is dropped with SSL_CTX_free. NULL with the
 * fault filled when a file cannot be read or a chain and its key do not belong together. Main
 * thread; blocks on the files.
 */
ENC_MUST_USE SSL_CTX *enc_tls_open(struct enc_tls_fault *fault, const struct enc_tls_setup *setup);

/** From now on OpenSSL wipes what it frees. Main thread, before anything of it is used. */
void enc_tls_wipe_freed(void);

/** When the first of its certificates ends, in Unix seconds. */
int64_t enc_tls_not_after(SSL_CTX *context);

/** Whether text has the form of a row of "tls.more". */
bool enc_tls_pair_is_valid(const char *text);
