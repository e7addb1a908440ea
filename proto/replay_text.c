#include "proto/replay.h"

#include "proto/json.h"

struct fault_row {
    const char *name;
    const char *text;
    bool has_numbers;
};

static const struct fault_row ROWS[ENC_REPLAY_FAULT_COUNT] = {
    [ENC_REPLAY_SOUND] = {"sound", "nothing is wrong", false},
    [ENC_REPLAY_FAULT_MANIFEST] = {"manifest", "a log begins with its Manifest and has no other",
                                   false},
    [ENC_REPLAY_FAULT_ENCLAVE] = {"enclave", "it belongs to another enclave", false},
    [ENC_REPLAY_FAULT_SEQ] = {"seq", "events are missing or out of order", true},
    [ENC_REPLAY_FAULT_HASH] = {"hash", "hash is not the hash of the commit", false},
    [ENC_REPLAY_FAULT_SIG] = {"sig", "sig does not verify under from", false},
    [ENC_REPLAY_FAULT_SEQUENCER] = {"sequencer", "it names another sequencer", false},
    [ENC_REPLAY_FAULT_SEQ_SIG] = {"seq_sig", "seq_sig does not verify under the sequencer", false},
    [ENC_REPLAY_FAULT_ID] = {"id", "id is not the hash of seq_sig", false},
    [ENC_REPLAY_FAULT_TIMESTAMP] = {"timestamp", "it is older than what came before", true},
    [ENC_REPLAY_FAULT_TYPE_SEQ] = {"type_seq", "type_seq does not count the events of its type",
                                   true},
    [ENC_REPLAY_FAULT_DUPLICATE] = {"duplicate", "its commit is in the log already", false},
    [ENC_REPLAY_FAULT_REFUSED] = {"refused", "a node must refuse this here", false},
    [ENC_REPLAY_FAULT_ERASED] = {"erased", "its content is missing and no Delete explains it",
                                 false},
    [ENC_REPLAY_FAULT_BUNDLE] = {"bundle", "it is filed in another bundle", true},
    [ENC_REPLAY_FAULT_LEAF] = {"leaf", "the bundle that begins here is another one in the log",
                               false},
    [ENC_REPLAY_FAULT_HEAD_SIG] = {"head_sig", "the tree head is not signed by the sequencer",
                                   false},
    [ENC_REPLAY_FAULT_HEAD_SIZE] = {"head_size", "the tree head covers more bundles than there are",
                                    true},
    [ENC_REPLAY_FAULT_HEAD_ROOT] = {"head_root", "the tree head is over another log", false},
    [ENC_REPLAY_FAULT_MEMORY] = {"memory", "there is not enough memory to go on", false},
};

static const struct fault_row *row_of(enum enc_replay_fault fault)
{
    ENC_CHECK((unsigned)fault < ENC_REPLAY_FAULT_COUNT);
    return &ROWS[fault];
}

const char *enc_replay_fault_name(enum enc_replay_fault fault)
{
    return row_of(fault)->name;
}

static bool is_about_head(enum enc_replay_fault fault)
{
    return fault == ENC_REPLAY_FAULT_HEAD_SIG || fault == ENC_REPLAY_FAULT_HEAD_SIZE ||
           fault == ENC_REPLAY_FAULT_HEAD_ROOT;
}

void enc_replay_describe(struct enc_buffer *buffer, const struct enc_replay_verdict *verdict)
{
    const struct fault_row *row = row_of(verdict->fault);
    enc_json_put_raw(buffer, is_about_head(verdict->fault) ? "tree head of size " : "seq ");
    enc_json_put_u64(buffer, verdict->seq);
    enc_json_put_raw(buffer, ": ");
    enc_json_put_raw(buffer, row->text);
    if (row->has_numbers) {
        enc_json_put_raw(buffer, " (due ");
        enc_json_put_u64(buffer, verdict->want);
        enc_json_put_raw(buffer, ", found ");
        enc_json_put_u64(buffer, verdict->got);
        enc_json_put_raw(buffer, ")");
    }
    if (verdict->fault == ENC_REPLAY_FAULT_REFUSED) {
        enc_json_put_raw(buffer, " (step ");
        enc_json_put_u64(buffer, verdict->refusal.step);
        enc_json_put_raw(buffer, ", ");
        enc_json_put_raw(buffer, enc_err_row(verdict->refusal.err)->code);
        enc_json_put_raw(buffer, ")");
    }
}
