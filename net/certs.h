/** The certificates in use: a TLS context for every listener that needs one. Main thread. */
#pragma once

#include "net/loop.h"
#include "net/tls.h"

/** One reference each; NULL where a listener speaks in the clear. */
struct enc_certs {
    SSL_CTX *of[ENC_LISTENER_KINDS];
};

/** Read what config names; dropped with enc_certs_drop. False with the fault filled, and nothing is
 * held, when a file is no good. Blocks on the files. */
ENC_MUST_USE bool enc_certs_open(struct enc_certs *certs, struct enc_tls_fault *fault,
                                 const struct enc_config *config);

/** The same once more, with references of its own. */
struct enc_certs enc_certs_hold(const struct enc_certs *certs);

void enc_certs_drop(struct enc_certs *certs);

/** When the first of them ends, in Unix seconds; 0 when there are none. */
int64_t enc_certs_not_after(const struct enc_certs *certs);
