/** What a node tells of itself at every mount: /info/node, which a client must know before its
 * first session (server.md, mounts), and the documents of its API. */
#pragma once

#include "services/host.h"

/** The routes; answered by enc_info_handle, before anybody looks for another one. Static. */
struct enc_routes enc_info_routes(void);

/** Whether the path is one of them. Pure. */
bool enc_info_is(struct enc_bytes path);

/** Answers request->call, always; the path is one of them. Loop thread. */
enum enc_handled enc_info_handle(struct enc_host *host, unsigned service,
                                 const struct enc_request *request);
