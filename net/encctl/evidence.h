/**
 * Evidence: what a sequencer has signed and cannot take back, as one JSON object that anybody can
 * judge without the node and without whoever wrote it. Main thread.
 *
 * A tree head does not name its enclave (protocol.md 7.3). So each carries a binding: the way from
 * the enclave's Manifest, which does, through the first bundle into the head's root. Heads without
 * one might be those of two enclaves, and prove nothing.
 */
#pragma once

#include "net/encctl/ctl.h"
#include "proto/event.h"
#include "proto/json.h"
#include "proto/proof_json.h"

enum {
    ENC_EVIDENCE_KEYS_MAX = 8,
    ENC_EVIDENCE_SLACK_MS = 60000, /* by which an honest node's own times may be late */
};

enum enc_worth {
    ENC_WORTH_NONE,  /* not what it says it is */
    ENC_WORTH_CLAIM, /* genuine, but whoever wrote it has to be believed for the rest */
    ENC_WORTH_PROOF, /* no honest sequencer can have signed this */
};

/** What was found in a file. text is static. */
struct enc_evidence {
    enum enc_worth worth;
    struct enc_bytes kind;
    const char *text;
    uint8_t enclave32[32];
    uint8_t accused32[32]; /* the key that signed */
};

/** Everything of the file is checked; what it has beside that is not looked at. */
void enc_evidence_weigh(struct enc_evidence *out, struct enc_ctl *ctl, const struct enc_json *file);

/** What a head that is bound has beside it. */
struct enc_binding {
    struct enc_inclusion inclusion; /* of leaf 0 */
    struct enc_bundle_proof bundle; /* of the Manifest */
};

/** Whether it leads from the Manifest with this id to the head. */
ENC_MUST_USE bool enc_binding_holds(const struct enc_binding *binding,
                                    const uint8_t manifest_id32[32], const struct enc_sth *head);

/** Whether a Migrate, sequenced by the key before, hands the enclave to another: which. */
ENC_MUST_USE bool enc_migrate_take(uint8_t next32[32], struct enc_ctl *ctl,
                                   const struct enc_json *event, const uint8_t enclave32[32],
                                   const uint8_t before32[32]);
