/** The admin listener: /healthz, /readyz, /metrics. Never on the public listener. */
#pragma once

#include "net/loop.h"

/** Install the handler on host. Main thread, before contexts exist. */
void enc_admin_register(h2o_hostconf_t *host);
