/** A registry at the other end (protocol.md 11.3), for register and resolve. Main thread. */
#pragma once

#include "net/encctl/node.h"
#include "proto/event.h"

/** The enclave of the registry at --url. False, and told why, when there is none. */
ENC_MUST_USE bool enc_registry_find(struct enc_ctl *ctl, uint8_t enclave32[32]);

/** Turn to another node for the requests that follow; returns where they went before. */
const char *enc_ctl_turn_to(struct enc_ctl *ctl, const char *url);

/**
 * Read a Manifest event as a node or a registry shows it: from the enclave with this id, sound,
 * signed by its sequencer. NULL, or what is wrong with it. Static text.
 */
const char *enc_registry_check_manifest(struct enc_ctl *ctl, struct enc_event *out,
                                        const struct enc_json *json, const uint8_t enclave32[32]);
