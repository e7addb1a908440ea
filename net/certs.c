#include "net/certs.h"

/* A setup without certificate is one in the clear. */
static void describe(struct enc_tls_setup setups[ENC_LISTENER_KINDS],
                     const struct enc_config *config)
{
    static const struct enc_config_list NO_MORE;
    bool is_on = config->tls_listen[0] != '\0';
    setups[ENC_LISTENER_PUBLIC] = (struct enc_tls_setup){.certificate = ""};
    setups[ENC_LISTENER_TLS] =
        (struct enc_tls_setup){is_on ? config->tls_certificate : "", config->tls_key,
                               &config->tls_more, config->tls_client_ca};
    setups[ENC_LISTENER_ADMIN] =
        (struct enc_tls_setup){config->admin_tls_certificate, config->admin_tls_key, &NO_MORE,
                               config->admin_tls_client_ca};
}

bool enc_certs_open(struct enc_certs *certs, struct enc_tls_fault *fault,
                    const struct enc_config *config)
{
    struct enc_tls_setup setups[ENC_LISTENER_KINDS];
    *certs = (struct enc_certs){{NULL}};
    describe(setups, config);
    for (unsigned kind = 0; kind < ENC_LISTENER_KINDS; kind++) {
        if (!setups[kind].certificate[0])
            continue;
        certs->of[kind] = enc_tls_open(fault, &setups[kind]);
        if (!certs->of[kind]) {
            enc_certs_drop(certs);
            return false;
        }
    }
    return true;
}

struct enc_certs enc_certs_hold(const struct enc_certs *certs)
{
    for (unsigned kind = 0; kind < ENC_LISTENER_KINDS; kind++) {
        if (certs->of[kind])
            SSL_CTX_up_ref(certs->of[kind]);
    }
    return *certs;
}

void enc_certs_drop(struct enc_certs *certs)
{
    for (unsigned kind = 0; kind < ENC_LISTENER_KINDS; kind++)
        SSL_CTX_free(certs->of[kind]);
    *certs = (struct enc_certs){{NULL}};
}

int64_t enc_certs_not_after(const struct enc_certs *certs)
{
    int64_t first = 0;
    for (unsigned kind = 0; kind < ENC_LISTENER_KINDS; kind++) {
        int64_t end = certs->of[kind] ? enc_tls_not_after(certs->of[kind]) : 0;
        first = end && (!first || end < first) ? end : first;
    }
    return first;
}
