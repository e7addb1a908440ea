/** A line of the log for requests: a sample of all, and every one that failed on our side. */
#pragma once

#include "net/config.h"

#include <h2o.h>

/** Have the requests of host told. Main thread, before the loops start. */
void enc_access_register(h2o_hostconf_t *host);

/** Take log.access_sample and log.addresses from config. Any thread. */
void enc_access_set(const struct enc_config *config);

/** The method as text of ours, "other" when it is not known. */
const char *enc_access_method(const h2o_req_t *req);

/** Whether an id is in the sample of ppm millionths: the same on every node. Pure. */
bool enc_access_is_sampled(const char *id, uint32_t ppm);
