/**
 * encctl: the client and operator tool (server.md, encctl). One thread, one command per process.
 *
 * A command is a row of the table in main.c. It finds its words in struct enc_args and everything
 * else in struct enc_ctl, prints its result with out.h and answers with an exit status.
 */
#pragma once

#include "proto/base/arena.h"
#include "proto/schnorr.h"

#include <curl/curl.h>

enum enc_exit {
    ENC_EXIT_OK = 0,
    ENC_EXIT_REFUSED = 1, /* the node refused, or what was to be verified is not true */
    ENC_EXIT_USAGE = 2,
    ENC_EXIT_PROVEN = 3, /* audit: a sequencer has signed what it must not, and it can be shown */
    ENC_EXIT_UNREACHED = 4, /* audit: no answer, so nothing is known */
    ENC_EXIT_CLAIMED = 5,   /* audit, evidence: wrong, and whoever saw it has to be believed */
};

/** Options with a value come first in enc_args.values; flags hold "" when given. */
enum enc_option {
    ENC_OPTION_URL,
    ENC_OPTION_KEY,
    ENC_OPTION_JSON,
    ENC_OPTION_MANIFEST,
    ENC_OPTION_TAG,
    ENC_OPTION_BATCH,
    ENC_OPTION_STDIN_NDJSON,
    ENC_OPTION_FILTER,
    ENC_OPTION_ALL,
    ENC_OPTION_COUNT_MAX,
    ENC_OPTION_NAMESPACE,
    ENC_OPTION_FILE,
    ENC_OPTION_REMEMBER,
    ENC_OPTION_SEQUENCER,
    ENC_OPTION_CHECK,
    ENC_OPTION_NODE,
    ENC_OPTION_APP,
    ENC_OPTION_AVATAR,
    ENC_OPTION_BIO,
    ENC_OPTION_ASK,
    ENC_OPTION_PRINT_MAN,
    ENC_OPTION_NO_KEY,
    ENC_OPTION_HEADS,
    ENC_OPTION_REWIND,
    ENC_OPTION_DATA,
    ENC_OPTION_GZIP,
    ENC_OPTION_INTERVAL,
    ENC_OPTION_ONCE,
    ENC_OPTION_STATE,
    ENC_OPTION_LOG,
    ENC_OPTION_RECEIPT,
    ENC_OPTION_MAX_AGE,
    ENC_OPTION_SPOT,
    ENC_OPTION_VERSION,
    ENC_OPTION_HELP,
    ENC_OPTION_COUNT
};

enum { ENC_WORDS_MAX = 32, ENC_ARG_TAGS_MAX = 64 };

/** The command line behind the command's name. */
struct enc_args {
    const char *words[ENC_WORDS_MAX];
    size_t word_count;
    const char *values[ENC_OPTION_COUNT]; /* NULL: not given */
    const char *tags[ENC_ARG_TAGS_MAX];   /* k=v each */
    size_t tag_count;
};

/** What an answer may cost; 0: as much as a node that is trusted with it may take. */
struct enc_http_bounds {
    size_t body_len_max;
    long timeout_ms;
};

/** What a command works with. The arena lives as long as the process. */
struct enc_ctl {
    const char *url; /* without '/' at its end */
    bool is_json;
    struct enc_curve *curve;
    bool has_key;
    struct enc_key key; /* wiped at the end */
    struct enc_chunk_source chunks;
    struct enc_arena arena;
    CURL *curl;
    bool has_node; /* the members below are known */
    uint8_t seq_pub32[32];
    bool is_encrypted; /* the service at url */
    bool has_push;
    struct enc_http_bounds bounds;
    long http_status; /* of the newest request; 0: there was no answer */
};

typedef enum enc_exit enc_command(struct enc_ctl *ctl, const struct enc_args *args);

enc_command enc_command_keygen;
enc_command enc_command_pubkey;
enc_command enc_command_create;
enc_command enc_command_commit;
enc_command enc_command_query;
enc_command enc_command_tail;
enc_command enc_command_sth;
enc_command enc_command_state;
enc_command enc_command_info;
enc_command enc_command_health;
enc_command enc_command_verify;
enc_command enc_command_audit;
enc_command enc_command_evidence;
enc_command enc_command_fsck;
enc_command enc_command_backup;
enc_command enc_command_restore;
enc_command enc_command_accept;
enc_command enc_command_compact;
enc_command enc_command_export;
enc_command enc_command_import;
enc_command enc_command_register;
enc_command enc_command_resolve;
enc_command enc_command_project;
enc_command enc_command_matrix;

/** Everything the options say is in ctl; false (and told why) when the key file is no good. */
ENC_MUST_USE bool enc_ctl_init(struct enc_ctl *ctl, const struct enc_args *args);

/** Wipe the key, give the memory back. */
void enc_ctl_fini(struct enc_ctl *ctl);

/** Whether there is a key; says so when there is none. */
ENC_MUST_USE bool enc_ctl_need_key(const struct enc_ctl *ctl);

/** Read hex64 from the command line; says so when it is none. */
ENC_MUST_USE bool enc_ctl_hex32(uint8_t out32[32], const char *text, const char *what);

/** A whole file, or standard input for "-"; NUL behind it. False, and told why. */
ENC_MUST_USE bool enc_ctl_read_file(struct enc_ctl *ctl, struct enc_bytes *out, const char *path);
