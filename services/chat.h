/** chat: MLS-encrypted groups. The node orders ciphertext and never looks into it (seed IV,
 * protocol.md 11.4). */
#pragma once

#include "services/enclave.h"

extern const struct enc_enclave ENC_CHAT;

/** The one route at worker level: POST /api/create-group. */
extern const struct enc_route ENC_CHAT_WORKER[1];
