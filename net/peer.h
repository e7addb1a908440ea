/**
 * One TCP connection as net counts it: whose it is, how it behaves, how it is cut. It hangs on
 * h2o's socket and dies with it and with the last call that came over it. Loop thread only.
 */
#pragma once

#include "net/loop.h"

struct enc_peer {
    struct enc_peer *prev, *next; /* loop->peers, while the socket lives */
    struct enc_loop *loop;
    enum enc_listener_kind kind;
    bool has_room;  /* counted for its address */
    bool is_shaken; /* its TLS handshake is done */
    uint64_t
        proxy_by_ms;    /* the head that says whose it is must have come then; 0: none is awaited */
    h2o_socket_t *sock; /* NULL once closed */
    void *lingering;    /* owned by amend.c */
    uint32_t holds;     /* the socket, and every unanswered call */
    uint32_t outstanding; /* calls not yet answered, cancelled ones included */
    uint64_t requests;
    uint64_t resets;      /* requests that the client took back */
    uint64_t arriving_at; /* the sweep that counted arriving */
    uint32_t arriving;    /* requests that have been arriving for long */
    uint8_t bucket16[16];
    struct enc_peer *written_next; /* from here on mend.c's: loop->written */
    uv_write_t *written;           /* has left and waits for its callback; NULL = none */
    uv_write_cb written_done;
};

/**
 * Take over a connection, fd, that came to listener. It is closed at once when there are too many,
 * of all or of its address.
 */
void enc_peer_accept(struct enc_listener *listener, int fd);

/** Speak HTTP with it, as somebody at address; NULL: as who it is. Closed when that address has too
 * many. */
void enc_peer_begin(struct enc_peer *peer, struct sockaddr *address);

/** The peer of a request; NULL while its connection changes from HTTP/1 to HTTP/2. */
struct enc_peer *enc_peer_of_request(const h2o_req_t *req);

/** The peer of a socket. */
struct enc_peer *enc_peer_of_socket(const h2o_socket_t *sock);

void enc_peer_hold(struct enc_peer *peer);
void enc_peer_drop(struct enc_peer *peer);

/**
 * Cut the connection; h2o notices and frees it later. Safe inside h2o's callbacks, where closing
 * is not.
 */
void enc_peer_kill(const struct enc_peer *peer);
