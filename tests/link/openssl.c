#include "link.h"

#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <string.h>

static X509 *self_signed(EVP_PKEY *key)
{
    X509 *cert = X509_new();
    X509_gmtime_adj(X509_getm_notBefore(cert), 0);
    X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    X509_set_pubkey(cert, key);
    X509_sign(cert, key, EVP_sha256());
    return cert;
}

static SSL *server(void)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = self_signed(key);
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    SSL_CTX_use_certificate(ctx, cert);
    SSL_CTX_use_PrivateKey(ctx, key);
    SSL *ssl = SSL_new(ctx);
    SSL_CTX_free(ctx);
    X509_free(cert);
    EVP_PKEY_free(key);
    return ssl;
}

static SSL *client(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION);
    SSL *ssl = SSL_new(ctx);
    SSL_CTX_free(ctx);
    return ssl;
}

static bool shake(SSL *one, SSL *other)
{
    int a = 0, b = 0;
    for (int round = 0; round < 10 && (a != 1 || b != 1); round++) {
        a = SSL_connect(one);
        b = SSL_accept(other);
    }
    char got[5];
    return a == 1 && b == 1 && SSL_write(one, "hello", 5) == 5 && SSL_read(other, got, 5) == 5 &&
           memcmp(got, "hello", 5) == 0;
}

static bool sha256_answers(void)
{
    static const unsigned char WANT[4] = {0xba, 0x78, 0x16, 0xbf};
    unsigned char digest[SHA256_DIGEST_LENGTH];
    SHA256((const unsigned char *)"abc", 3, digest);
    return memcmp(digest, WANT, sizeof WANT) == 0;
}

bool openssl_shakes_hands(void)
{
    BIO *near, *far;
    SSL *one = client(), *other = server();
    bool ok = BIO_new_bio_pair(&near, 0, &far, 0) == 1;
    if (ok) {
        SSL_set_bio(one, near, near);
        SSL_set_bio(other, far, far);
        ok = shake(one, other) && sha256_answers();
    }
    SSL_free(one);
    SSL_free(other);
    return ok;
}
