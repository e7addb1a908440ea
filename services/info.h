/** GET /info/node: what a client must know before its first session (server.md, mounts). */
#pragma once

#include "services/host.h"

/** Answers request->call, always. Loop thread. */
enum enc_handled enc_info_node(struct enc_host *host, unsigned service,
                               const struct enc_request *request);
