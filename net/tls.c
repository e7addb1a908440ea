#include "net/tls.h"

#include "net/handshake.h"
#include "proto/base/stack.h"

#include <fcntl.h>
#include <limits.h>
#include <malloc.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* The further contexts of a listener, one per certificate; the first context owns them. */
struct named {
    size_t count;
    SSL_CTX *contexts[];
};

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
    static const unsigned char SCOPE[] = "enclaved";
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20"); /* for TLS 1.2 */
    /* Tickets are the client's to keep; a cache would be memory that strangers fill. */
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_session_id_context(context, SCOPE, sizeof SCOPE - 1);
    h2o_ssl_register_alpn_protocols(context, h2o_alpn_protocols);
}

/* ---- keys ---- */

/* As OpenSSL wants them. What it frees is wiped: private keys, their text, what they decode to, and
 * the secrets of sessions. */
static void *take(size_t len, const char *file, int line)
{
    (void)file, (void)line;
    return malloc(len);
}

static void give(void *memory, const char *file, int line)
{
    (void)file, (void)line;
    if (memory)
        explicit_bzero(memory, malloc_usable_size(memory));
    free(memory);
}

static void *resize(void *memory, size_t len, const char *file, int line)
{
    size_t had = memory ? malloc_usable_size(memory) : 0;
    void *larger = malloc(len);
    if (!larger)
        return NULL;
    if (memory)
        memcpy(larger, memory, had < len ? had : len);
    give(memory, file, line);
    return larger;
}

void enc_tls_wipe_freed(void)
{
    ENC_CHECK(CRYPTO_set_mem_functions(take, resize, give) == 1);
}

/* Read by us, because stdio would keep a copy of the text. NULL: cannot be read. */
static BIO *read_whole(const char *path)
{
    enum { STEP_LEN = 4096, KEY_LEN_MAX = 65536 };
    uint8_t step[STEP_LEN];
    ssize_t got = -1;
    BIO *text = BIO_new(BIO_s_mem());
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ENC_CHECK(text != NULL);
    while (fd >= 0 && BIO_pending(text) < KEY_LEN_MAX && (got = read(fd, step, sizeof step)) > 0)
        BIO_write(text, step, (int)got);
    explicit_bzero(step, sizeof step);
    if (fd >= 0)
        close(fd);
    if (got == 0)
        return text;
    ERR_raise(ERR_LIB_SSL, ERR_R_SYS_LIB);
    BIO_free(text);
    return NULL;
}

static bool use_key(SSL_CTX *context, const char *path)
{
    BIO *text = read_whole(path);
    EVP_PKEY *key = text ? PEM_read_bio_PrivateKey(text, NULL, NULL, NULL) : NULL;
    bool is_good =
        key && SSL_CTX_use_PrivateKey(context, key) == 1 && SSL_CTX_check_private_key(context) == 1;
    enc_stack_wipe();
    EVP_PKEY_free(key);
    BIO_free(text);
    return is_good;
}

static SSL_CTX *open_pair(struct enc_tls_fault *fault, const char *certificate_path,
                          const char *key_path)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    ENC_CHECK(context != NULL);
    harden(context);
    enc_handshake_watch(context);
    ERR_clear_error();
    if (SSL_CTX_use_certificate_chain_file(context, certificate_path) != 1)
        return refuse(fault, context, certificate_path);
    if (!use_key(context, key_path))
        return refuse(fault, context, key_path);
    return context;
}

/* ---- several certificates ---- */

static bool has_name(SSL_CTX *context, const char *name)
{
    return X509_check_host(SSL_CTX_get0_certificate(context), name, strlen(name), 0, NULL) == 1;
}

/* The first context speaks for every name that nobody has. */
static int choose(SSL *ssl, int *alert, void *opaque)
{
    const struct named *named = opaque;
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    (void)alert;
    if (!name || has_name(SSL_get_SSL_CTX(ssl), name))
        return SSL_TLSEXT_ERR_OK;
    for (size_t i = 0; i < named->count; i++) {
        if (has_name(named->contexts[i], name)) {
            SSL_set_SSL_CTX(ssl, named->contexts[i]);
            break;
        }
    }
    return SSL_TLSEXT_ERR_OK;
}

static void free_named(struct named *named)
{
    for (size_t i = 0; named && i < named->count; i++)
        SSL_CTX_free(named->contexts[i]);
    free(named);
}

static void on_context_freed(void *parent, void *item, CRYPTO_EX_DATA *data, int index, long number,
                             void *opaque)
{
    (void)parent, (void)data, (void)index, (void)number, (void)opaque;
    free_named(item);
}

static int named_index(void)
{
    static int index = -1; /* the main thread opens all contexts */
    if (index < 0)
        index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, on_context_freed);
    return index;
}

bool enc_tls_pair_is_valid(const char *text)
{
    const char *colon = strchr(text, ':');
    return colon && colon != text && colon[1] != '\0' && colon - text < PATH_MAX;
}

static SSL_CTX *open_item(struct enc_tls_fault *fault, const char *pair)
{
    char certificate[PATH_MAX];
    size_t len = strcspn(pair, ":");
    snprintf(certificate, sizeof certificate, "%.*s", (int)len, pair);
    return open_pair(fault, certificate, pair + len + 1);
}

static bool add_named(struct enc_tls_fault *fault, SSL_CTX *context,
                      const struct enc_config_list *more)
{
    struct named *named = calloc(1, sizeof *named + more->count * sizeof *named->contexts);
    ENC_CHECK(named != NULL);
    for (; named->count < more->count; named->count++) {
        SSL_CTX *item = open_item(fault, more->items[named->count]);
        if (!item) {
            free_named(named);
            return false;
        }
        named->contexts[named->count] = item;
    }
    ENC_CHECK(SSL_CTX_set_ex_data(context, named_index(), named) == 1);
    SSL_CTX_set_tlsext_servername_callback(context, choose);
    SSL_CTX_set_tlsext_servername_arg(context, named);
    return true;
}

/* ---- certificates of clients ---- */

static bool demand_client(SSL_CTX *context, const char *ca_path)
{
    STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(ca_path);
    if (!names || SSL_CTX_load_verify_locations(context, ca_path, NULL) != 1)
        return false;
    SSL_CTX_set_client_CA_list(context, names);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    return true;
}

SSL_CTX *enc_tls_open(struct enc_tls_fault *fault, const struct enc_tls_setup *setup)
{
    SSL_CTX *context = open_pair(fault, setup->certificate, setup->key);
    if (!context)
        return NULL;
    if (setup->more->count > 0 && !add_named(fault, context, setup->more)) {
        SSL_CTX_free(context);
        return NULL;
    }
    if (setup->client_ca[0] && !demand_client(context, setup->client_ca))
        return refuse(fault, context, setup->client_ca);
    return context;
}

static int64_t not_after(SSL_CTX *context)
{
    struct tm end;
    ENC_CHECK(ASN1_TIME_to_tm(X509_get0_notAfter(SSL_CTX_get0_certificate(context)), &end) == 1);
    return timegm(&end);
}

int64_t enc_tls_not_after(SSL_CTX *context)
{
    const struct named *named = SSL_CTX_get_ex_data(context, named_index());
    int64_t first = not_after(context);
    for (size_t i = 0; named && i < named->count; i++) {
        int64_t end = not_after(named->contexts[i]);
        first = end < first ? end : first;
    }
    return first;
}
