/** What people and tools read about the rows. Private to the configuration. Main thread. */
#pragma once

#include "net/config_row.h"

/** Called for what is between the dots of keys: a group begins, a key, the group ends. */
struct enc_config_visitor {
    void (*enter)(void *opaque, const char *name, unsigned depth);
    void (*key)(void *opaque, const struct enc_config_row *row, const char *name, unsigned depth);
    void (*leave)(void *opaque, unsigned depth);
    void *opaque;
};

/** Visit every row, those of a group together, in the order of their first rows. */
void enc_config_visit(const struct enc_config_visitor *visitor);

/** What the values of row are, in words: "number from 0 to 7". */
void enc_config_kind(char out[160], const struct enc_config_row *row);

/** What a value of row is called behind its flag. */
const char *enc_config_value_name(const struct enc_config_row *row);

/** The default of row as text, "" when it has none. */
void enc_config_default(char out[128], const struct enc_config_row *row);

/** Print --help, the JSON Schema, the Markdown, the two manual pages, the values in config. */
void enc_config_help(const struct enc_config *config);
void enc_config_schema(const struct enc_config *config);
void enc_config_reference(const struct enc_config *config);
void enc_config_man(const struct enc_config *config);
void enc_config_man_file(const struct enc_config *config);
void enc_config_print(const struct enc_config *config);
