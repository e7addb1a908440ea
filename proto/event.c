#include "proto/event.h"

#include "proto/cbor.h"
#include "proto/sha256.h"

enum { PREFIX_EVENT = 0x11, PREIMAGE_LEN_MAX = 128 };

void enc_event_hash(uint8_t out32[32], const struct enc_event *event)
{
    uint8_t memory[PREIMAGE_LEN_MAX];
    struct enc_buffer preimage = {.data = memory, .cap = sizeof memory, .max_len = sizeof memory};
    struct enc_bytes bytes = {0};
    enc_cbor_array(&preimage, 5);
    enc_cbor_uint(&preimage, PREFIX_EVENT);
    enc_cbor_uint(&preimage, event->timestamp_ms);
    enc_cbor_uint(&preimage, event->seq);
    enc_cbor_bytes(&preimage, enc_bytes_of(event->sequencer32, 32));
    enc_cbor_bytes(&preimage, enc_bytes_of(event->commit.sig64, 64));
    ENC_CHECK(enc_buffer_bytes(&preimage, &bytes) == ENC_ERR_OK);
    enc_sha256(out32, bytes);
}

static void name(uint8_t id32[32], const struct enc_event *event)
{
    enc_sha256(id32, enc_bytes_of(event->seq_sig64, 64));
}

void enc_event_finalise(struct enc_event *event, const struct enc_curve *curve,
                        const struct enc_key *sequencer)
{
    uint8_t hash32[32];
    memcpy(event->sequencer32, sequencer->pub32, 32);
    enc_event_hash(hash32, event);
    enc_schnorr_sign(curve, event->seq_sig64, sequencer, hash32);
    name(event->id32, event);
}

const char *enc_event_fault_text(enum enc_event_fault fault)
{
    static const char *const TEXTS[ENC_EVENT_FAULT_COUNT] = {
        [ENC_EVENT_SOUND] = "nothing is wrong",
        [ENC_EVENT_FAULT_HASH] = "hash is not the hash of the commit",
        [ENC_EVENT_FAULT_SIG] = "sig does not verify under from",
        [ENC_EVENT_FAULT_SEQUENCER] = "sequencer is another than expected",
        [ENC_EVENT_FAULT_SEQ_SIG] = "seq_sig does not verify under sequencer",
        [ENC_EVENT_FAULT_ID] = "id is not the hash of seq_sig",
    };
    ENC_CHECK((unsigned)fault < ENC_EVENT_FAULT_COUNT);
    return TEXTS[fault];
}

/** What the sequencer added. */
static enum enc_event_fault check_order(const struct enc_event *event,
                                        const struct enc_curve *curve, const uint8_t *sequencer32)
{
    uint8_t hash32[32];
    if (sequencer32 && memcmp(event->sequencer32, sequencer32, 32) != 0)
        return ENC_EVENT_FAULT_SEQUENCER;
    enc_event_hash(hash32, event);
    if (!enc_schnorr_verify(curve, event->seq_sig64, hash32, event->sequencer32))
        return ENC_EVENT_FAULT_SEQ_SIG;
    name(hash32, event);
    return memcmp(hash32, event->id32, 32) == 0 ? ENC_EVENT_SOUND : ENC_EVENT_FAULT_ID;
}

enum enc_event_fault enc_event_check(struct enc_event *event, const struct enc_curve *curve,
                                     const uint8_t *sequencer32)
{
    event->commit.has_hash = true;
    if (!event->is_erased && enc_commit_hash_check(&event->commit) != ENC_ERR_OK)
        return ENC_EVENT_FAULT_HASH;
    if (enc_commit_signature(curve, &event->commit) != ENC_ERR_OK)
        return ENC_EVENT_FAULT_SIG;
    return check_order(event, curve, sequencer32);
}

enum enc_event_fault enc_receipt_check(const struct enc_event *receipt,
                                       const struct enc_curve *curve,
                                       const struct enc_commit *commit, const uint8_t *sequencer32)
{
    if (memcmp(receipt->commit.hash32, commit->hash32, 32) != 0 ||
        memcmp(receipt->commit.enclave32, commit->enclave32, 32) != 0)
        return ENC_EVENT_FAULT_HASH;
    if (memcmp(receipt->commit.sig64, commit->sig64, 64) != 0 ||
        enc_commit_signature(curve, commit) != ENC_ERR_OK)
        return ENC_EVENT_FAULT_SIG;
    return check_order(receipt, curve, sequencer32);
}
