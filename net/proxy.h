/**
 * Connections that come through a trusted load balancer and say first who is at the other end (the
 * PROXY protocol). Loop threads, except where noted.
 */
#pragma once

#include "net/address.h"
#include "net/peer.h"

struct enc_config;

/** Whose word counts; NULL when nobody's does. Main thread; the items are valid. */
struct enc_proxy_trust *enc_proxy_trust_new(const struct enc_config *config);
void enc_proxy_trust_free(struct enc_proxy_trust *trust);

/** Whether a connection from address has a head. trust may be NULL. */
bool enc_proxy_is_trusted(const struct enc_proxy_trust *trust, const struct sockaddr *address);

/** Read the head of peer's socket; then begin with who it names, or close. */
void enc_proxy_await(struct enc_peer *peer);

/** Cut connections whose head does not come, or may not come any more. Every tick and while
 * draining. */
void enc_proxy_sweep(struct enc_loop *loop);
