#include "net/tls.h"

#include <openssl/err.h>
#include <stdio.h>

static SSL_CTX *refuse(struct enc_tls_fault *fault, SSL_CTX *context, const char *path)
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    snprintf(fault->text, sizeof fault->text, "%s: %s", path, reason ? reason : "not usable");
    ERR_clear_error();
    SSL_CTX_free(context);
    return NULL;
}

static void harden(SSL_CTX *context)
{
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20"); /* for TLS 1.2 */
    h2o_ssl_register_alpn_protocols(context, h2o_alpn_protocols);
}

SSL_CTX *enc_tls_open(struct enc_tls_fault *fault, const char *certificate_path,
                      const char *key_path)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    ENC_CHECK(context != NULL);
    harden(context);
    ERR_clear_error();
    if (SSL_CTX_use_certificate_chain_file(context, certificate_path) != 1)
        return refuse(fault, context, certificate_path);
    if (SSL_CTX_use_PrivateKey_file(context, key_path, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(context) != 1)
        return refuse(fault, context, key_path);
    return context;
}
