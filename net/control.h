/** What the main thread does while the server runs: signals, the disk, and the order of a stop. */
#pragma once

#include "net/server.h"
#include "net/usher.h"

/** What SIGHUP needs to read the configuration again, and SIGUSR2 to start a successor. */
struct enc_control {
    struct enc_server *server;
    struct enc_config *config;
    const struct enc_config_sources *sources;
    const struct enc_usher *usher;
};

/**
 * Serve until a signal stops it, and return when every connection and call is gone or
 * drain_timeout_ms is over. SIGTERM and SIGINT drain, a second one cuts what is left; SIGHUP reads
 * configuration and certificates again and keeps the old ones when the new are no good; SIGUSR2
 * starts a successor with our listeners, and drains once that one is ready. Returns
 * false when it stopped because the store had failed for good. Main thread. Source: server.md
 */
bool enc_control_run(struct enc_control *control);

/** Take what the log follows from config. Any thread. */
void enc_control_set_log(const struct enc_config *config);
