/** export: what its two halves share. Main thread. */
#pragma once

#include "net/encctl/snapshot.h"
#include "net/encctl/verify.h"

/** From a node: a verification of the whole log that writes what it reads. */
ENC_MUST_USE enum enc_exit enc_export_node(struct enc_ctl *ctl, const struct enc_args *args);

/** From a data directory that nobody has open. */
ENC_MUST_USE enum enc_exit enc_export_data(struct enc_ctl *ctl, const struct enc_args *args,
                                           const uint8_t enclave32[32]);
