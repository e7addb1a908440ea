/** enc-node: the generic sequencer. Dynamic schema; the only service that delivers P and N (seed
 * IV). */
#pragma once

#include "services/enclave.h"

extern const struct enc_enclave ENC_NODE;
