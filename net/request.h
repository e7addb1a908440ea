/** From h2o's request to the services' door. */
#pragma once

#include "net/loop.h"

/** Install the handler of public requests on host. Main thread, before contexts exist. */
void enc_request_register(h2o_hostconf_t *host);
