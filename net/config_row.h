/**
 * The rows of config.def as data, and the one function that turns text into a value. Private to
 * the configuration.
 */
#pragma once

#include "net/config.h"

enum enc_config_type {
    ENC_CONFIG_TEXT,
    ENC_CONFIG_ADDRESS,
    ENC_CONFIG_NUMBER,
    ENC_CONFIG_BOOL,
    ENC_CONFIG_CHOICE,
    ENC_CONFIG_RATIO,
    ENC_CONFIG_LIST,
};

enum { ENC_CONFIG_KEY_MAX = 64, ENC_CONFIG_VALUE_MAX = 4096 };

struct enc_config_row {
    enum enc_config_type type;
    bool is_live;
    const char *key;
    const char *flag; /* NULL = none */
    size_t offset;    /* in struct enc_config */
    size_t size;      /* of a number: 4 or 8 */
    uint64_t min, max;
    uint64_t preset;    /* default of a number, bool, choice or ratio */
    const char *text;   /* default of a text or address; the names of a choice */
    bool keeps_default; /* a limit: the services know it */
    const char *help;
};

/** All rows: those of config.def, then one services.<name>.hosts per service of the build. Returns
 * their number. */
size_t enc_config_rows(const struct enc_config_row **out);

/** An argument that stands alone and says what to do instead of serving. */
struct enc_config_lone {
    const char *flag;
    enum enc_config_action action;
    const char *help;
};

/** All of them. Returns their number. */
size_t enc_config_lones(const struct enc_config_lone **out);

/** The row of a key or flag, or NULL. */
const struct enc_config_row *enc_config_row_of_key(const char *key);
const struct enc_config_row *enc_config_row_of_flag(const char *flag);

/** Write the environment name of row. */
void enc_config_env_name(char out[ENC_CONFIG_KEY_MAX], const struct enc_config_row *row);

/**
 * Set the row's value from text; a list gets one more item. Returns NULL, or what is wrong with it
 * (in why, or static).
 */
ENC_MUST_USE const char *enc_config_set(struct enc_config *config, char why[128],
                                        const struct enc_config_row *row, const char *text);

/** Write the row's value as text, cut to len. */
void enc_config_get(const struct enc_config *config, char *out, size_t len,
                    const struct enc_config_row *row);

/** Give the row its default; what it owned must be cleared. */
void enc_config_preset(struct enc_config *config, const struct enc_config_row *row);

/** Free the row's text or items, so that a source of higher precedence replaces them. */
void enc_config_clear(struct enc_config *config, const struct enc_config_row *row);

/** Exchange the row's value between two configurations. */
void enc_config_swap(struct enc_config *a, struct enc_config *b, const struct enc_config_row *row);

/** Note where the row's value came from; line only of a file. */
void enc_config_note(struct enc_config *config, const struct enc_config_row *row,
                     struct enc_config_origin origin);

/** The note about the row. */
struct enc_config_origin enc_config_origin(const struct enc_config *config,
                                           const struct enc_config_row *row);

/** The items of a list row, NULL for rows of other types. */
const struct enc_config_list *enc_config_items(const struct enc_config *config,
                                               const struct enc_config_row *row);

/** Add one line to fault: source, key (either may be empty) and what is wrong. */
void enc_config_blame(struct enc_config_fault *fault, const char *source, const char *key,
                      const char *what);

/** Read the YAML file at path. Every fault in it is told, up to one of its form. */
void enc_config_read_file(struct enc_config *config, struct enc_config_fault *fault,
                          const char *path);
