#include "net/config_doc.h"

#include <stdio.h>
#include <stdlib.h>

enum { HELP_COLUMN = 34, GROUP_MAX = ENC_CONFIG_KEY_MAX };

static const char *const VALUE_NAMES[] = {
    [ENC_CONFIG_TEXT] = "PATH",  [ENC_CONFIG_ADDRESS] = "HOST:PORT", [ENC_CONFIG_NUMBER] = "N",
    [ENC_CONFIG_BOOL] = "BOOL",  [ENC_CONFIG_CHOICE] = "NAME",       [ENC_CONFIG_LIST] = "NAME",
    [ENC_CONFIG_RATIO] = "PART",
};

const char *enc_config_value_name(const struct enc_config_row *row)
{
    return VALUE_NAMES[row->type];
}

void enc_config_kind(char out[160], const struct enc_config_row *row)
{
    static const char *const KINDS[] = {
        [ENC_CONFIG_TEXT] = "text",          [ENC_CONFIG_ADDRESS] = "HOST:PORT",
        [ENC_CONFIG_BOOL] = "true or false", [ENC_CONFIG_RATIO] = "part from 0 to 1",
        [ENC_CONFIG_LIST] = "list of texts",
    };
    if (row->type == ENC_CONFIG_NUMBER)
        snprintf(out, 160, "number from %llu to %llu", (unsigned long long)row->min,
                 (unsigned long long)row->max);
    else if (row->type == ENC_CONFIG_CHOICE)
        snprintf(out, 160, "one of %s", row->text);
    else
        snprintf(out, 160, "%s", KINDS[row->type]);
}

void enc_config_default(char out[128], const struct enc_config_row *row)
{
    static struct enc_config presets;
    enc_config_init(&presets);
    enc_config_get(&presets, out, 128, row);
    enc_config_fini(&presets);
}

/* ---- groups of keys ---- */

/* Whether an earlier row is in the same group: the first len bytes of the row's key. */
static bool is_seen(const struct enc_config_row *rows, size_t index, size_t len)
{
    for (size_t i = 0; i < index; i++) {
        if (strncmp(rows[i].key, rows[index].key, len) == 0)
            return true;
    }
    return false;
}

/* Below the group that is the first prefix_len bytes of prefix. */
static void visit(const struct enc_config_visitor *visitor, const char *prefix, size_t prefix_len,
                  unsigned depth)
{
    const struct enc_config_row *rows;
    size_t count = enc_config_rows(&rows);
    char name[GROUP_MAX];
    for (size_t i = 0; i < count; i++) {
        if (strncmp(rows[i].key, prefix, prefix_len) != 0)
            continue;
        const char *rest = rows[i].key + prefix_len;
        size_t len = strcspn(rest, ".");
        snprintf(name, sizeof name, "%.*s", (int)len, rest);
        if (rest[len] == '\0') {
            visitor->key(visitor->opaque, &rows[i], name, depth);
        } else if (!is_seen(rows, i, prefix_len + len + 1)) {
            visitor->enter(visitor->opaque, name, depth);
            visit(visitor, rows[i].key, prefix_len + len + 1, depth + 1);
            visitor->leave(visitor->opaque, depth);
        }
    }
}

void enc_config_visit(const struct enc_config_visitor *visitor)
{
    visit(visitor, "", 0, 0);
}

/* ---- --help ---- */

static void help_flag(const struct enc_config_row *row)
{
    char left[64];
    snprintf(left, sizeof left, "%s %s", row->flag, enc_config_value_name(row));
    printf("  %-*s%s\n", HELP_COLUMN, left, row->help);
}

static void help_key(const struct enc_config_row *row)
{
    char preset[128];
    enc_config_default(preset, row);
    printf("  %-*s%s", HELP_COLUMN, row->key, row->help);
    if (row->type == ENC_CONFIG_CHOICE)
        printf("; %s", row->text);
    if (row->type == ENC_CONFIG_NUMBER)
        printf("; %llu to %llu", (unsigned long long)row->min, (unsigned long long)row->max);
    printf("%s%s%s\n", *preset ? " [" : "", preset, *preset ? "]" : "");
}

void enc_config_help(const struct enc_config *config)
{
    (void)config;
    const struct enc_config_row *rows;
    const struct enc_config_lone *lones;
    size_t count = enc_config_rows(&rows), lone_count = enc_config_lones(&lones);
    puts("Usage: enclaved [--config FILE] [FLAG VALUE]...\n\nFlags:");
    printf("  %-*s%s\n", HELP_COLUMN, "--config FILE", "YAML file of the keys below");
    for (size_t i = 0; i < count; i++) {
        if (rows[i].flag)
            help_flag(&rows[i]);
    }
    for (size_t i = 0; i < lone_count; i++)
        printf("  %-*s%s\n", HELP_COLUMN, lones[i].flag, lones[i].help);
    puts(
        "\nKeys (a flag goes before the environment, the environment before the file; the "
        "environment name of a\n"
        "key is ENCLAVED_ and the key in capitals with _ for . and -, as in ENCLAVED_TLS_LISTEN):");
    for (size_t i = 0; i < count; i++)
        help_key(&rows[i]);
}

/* ---- Markdown ---- */

/* A pipe would end the cell. */
static void put_cell(const char *text)
{
    printf("| ");
    for (; *text; text++)
        printf(*text == '|' ? "\\|" : "%c", *text);
    putchar(' ');
}

static void reference_row(const struct enc_config_row *row)
{
    char preset[128], kind[160], name[ENC_CONFIG_KEY_MAX];
    enc_config_default(preset, row);
    enc_config_kind(kind, row);
    enc_config_env_name(name, row);
    printf("| `%s` ", row->key);
    put_cell(row->help);
    put_cell(kind);
    printf(*preset ? "| `%s` " : "| %s", preset);
    printf("| `%s`%s%s%s | %s |\n", name, row->flag ? ", `" : "", row->flag ? row->flag : "",
           row->flag ? "`" : "", row->is_live ? "SIGHUP" : "restart");
}

static void reference_otel(const struct enc_otel_row *row)
{
    char kind[160];
    enc_otel_values(kind, row);
    printf("| `%s` ", row->name);
    put_cell(row->help);
    put_cell(kind);
    printf(*row->preset ? "| `%s` |\n" : "| %s|\n", row->preset);
}

static void reference_traces(void)
{
    puts("\n## Traces\n\n"
         "Variables of OpenTelemetry, in the environment only, read at the start. They may hold "
         "secrets and are shown nowhere. An\n"
         "empty value counts as none, a bad one ends the start.\n\n"
         "| variable | what it is | values | default |\n"
         "| --- | --- | --- | --- |");
    for (size_t i = 0; i < ENC_OTEL_COUNT; i++)
        reference_otel(&enc_otel_rows()[i]);
}

void enc_config_reference(const struct enc_config *config)
{
    (void)config;
    const struct enc_config_row *rows;
    size_t count = enc_config_rows(&rows);
    puts(
        "# Configuration\n\n"
        "Made from the program's table; `deploy/build/pages` writes it again.\n\n"
        "A flag goes before the environment, the environment before the file given by `--config`, "
        "the file before the\n"
        "default. The dots of a key are levels of the YAML file: `limits.body` is `body` below "
        "`limits`. A list is separated by\n"
        "commas in the environment; its flag is repeated. No key holds a secret; some name a file "
        "with one.\n"
        "`enclaved --check-config` tells every mistake with its line, `enclaved --print-config` "
        "every value with its source.\n\n"
        "The last column says what a changed value waits for. At SIGHUP all keys are read again; a "
        "file with a mistake changes\n"
        "nothing, and a changed key that needs a restart is named in the log.\n\n"
        "| key | what it is | values | default | environment, flag | changes at |\n"
        "| --- | --- | --- | --- | --- | --- |");
    for (size_t i = 0; i < count; i++)
        reference_row(&rows[i]);
    reference_traces();
}

/* ---- all ---- */

static void check_only(const struct enc_config *config)
{
    (void)config;
    puts("the configuration is good");
}

static void version(const struct enc_config *config)
{
    (void)config;
    puts("enclaved " ENC_VERSION);
}

void enc_config_answer(const struct enc_config *config, enum enc_config_action action)
{
    static void (*const ANSWERS[])(const struct enc_config *config) = {
        [ENC_CONFIG_RUN] = NULL,
        [ENC_CONFIG_CHECK] = check_only,
        [ENC_CONFIG_PRINT] = enc_config_print,
        [ENC_CONFIG_SCHEMA] = enc_config_schema,
        [ENC_CONFIG_REFERENCE] = enc_config_reference,
        [ENC_CONFIG_MAN] = enc_config_man,
        [ENC_CONFIG_MAN_FILE] = enc_config_man_file,
        [ENC_CONFIG_VERSION] = version,
        [ENC_CONFIG_HELP] = enc_config_help,
    };
    if (ANSWERS[action])
        ANSWERS[action](config);
}
