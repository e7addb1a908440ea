/* enclaved(8) and enclaved.yaml(5): the rows, and around them what no row knows. */
#include "net/config_doc.h"
#include "net/man.h"

#include <stdio.h>

struct item {
    const char *term;
    const char *text;
};

static const struct item SIGNALS[] = {
    {"SIGTERM, SIGINT", "Stop taking connections, finish what is at work, end within "
                        "drain_timeout_ms. A second one cuts what is left."},
    {"SIGHUP", "Read configuration and certificates again. Keys that may change do so together; "
               "other changed keys are named in the log and wait for a restart. A mistake anywhere "
               "keeps the old configuration."},
};

static const struct item FILES[] = {
    {"./data", "The data directory: one store per shard, mode 0700."},
    {"./data/node.key", "The private key of the node, 64 hex digits, mode 0600. Made at the first "
                        "start. Who has it is the node."},
};

static const struct item STATUSES[] = {
    {"0", "Stopped by a signal, with everything durable."},
    {"1", "It could not start or go on; the last line of the log says why."},
    {"2", "The configuration is wrong; each line on stderr names a key and its place."},
};

#define ENC_ITEMS(title, rows) put_items(title, rows, sizeof(rows) / sizeof *(rows))
static void put_items(const char *title, const struct item *items, size_t count)
{
    enc_man_section(title);
    for (size_t i = 0; i < count; i++)
        enc_man_item(items[i].term, NULL, items[i].text);
}

static void put_flags(void)
{
    const struct enc_config_row *rows;
    const struct enc_config_lone *lones;
    size_t count = enc_config_rows(&rows), lone_count = enc_config_lones(&lones);
    char text[512], preset[128];
    enc_man_section("OPTIONS");
    enc_man_item("--config", "FILE", "YAML file, see enclaved.yaml(5).");
    for (size_t i = 0; i < count; i++) {
        if (!rows[i].flag)
            continue;
        enc_config_default(preset, &rows[i]);
        snprintf(text, sizeof text, "%s%s%s", rows[i].help, *preset ? "; default " : "", preset);
        enc_man_item(rows[i].flag, enc_config_value_name(&rows[i]), text);
    }
    for (size_t i = 0; i < lone_count; i++)
        enc_man_item(lones[i].flag, NULL, lones[i].help);
}

static void put_otel(void)
{
    char text[512], kind[160];
    enc_man_text("Traces are set up by variables of OpenTelemetry, read at the start only:");
    for (size_t i = 0; i < ENC_OTEL_COUNT; i++) {
        const struct enc_otel_row *row = &enc_otel_rows()[i];
        enc_otel_values(kind, row);
        snprintf(text, sizeof text, "%s.\n%s%s", row->help,
                 *row->preset ? "Default: " : "No default.", row->preset);
        enc_man_item(row->name, kind, text);
    }
}

void enc_config_man(const struct enc_config *config)
{
    (void)config;
    enc_man_page("enclaved", 8, "node for signed, provable logs");
    enc_man_section("SYNOPSIS");
    enc_man_text("enclaved [--config FILE] [FLAG VALUE]...");
    enc_man_section("DESCRIPTION");
    enc_man_text(
        "enclaved keeps append-only logs of signed events, called enclaves, and proves what "
        "it keeps. Its store is embedded; it needs no other server. It serves HTTP/1.1, "
        "HTTP/2 and WebSocket on its public listeners, and health and metrics on the admin "
        "listener, which is not for the public.");
    enc_man_text(
        "Every key of the configuration has a name in the file, one in the environment, and "
        "some a flag. A flag goes before the environment, the environment before the file, "
        "the file before the default.");
    enc_man_text("It logs to stderr, one JSON object a line.");
    put_flags();
    enc_man_section("ENVIRONMENT");
    enc_man_text("The name of a key is ENCLAVED_ and the key in capitals with _ for . and -, as in "
                 "ENCLAVED_TLS_LISTEN for tls.listen. ENCLAVED_CONFIG names the file.");
    put_otel();
    ENC_ITEMS("SIGNALS", SIGNALS);
    ENC_ITEMS("FILES", FILES);
    ENC_ITEMS("EXIT STATUS", STATUSES);
    enc_man_see("encctl(1) enclaved.yaml(5)");
}

static void put_key(const struct enc_config_row *row)
{
    char text[1024], preset[128], kind[160], name[ENC_CONFIG_KEY_MAX];
    enc_config_default(preset, row);
    enc_config_kind(kind, row);
    enc_config_env_name(name, row);
    snprintf(text, sizeof text, "%s.\n%s%s. %s%s%s%s", row->help,
             *preset ? "Default: " : "No default", preset, name, row->flag ? ", " : "",
             row->flag ? row->flag : "", row->is_live ? "; follows SIGHUP." : ".");
    enc_man_item(row->key, kind, text);
}

void enc_config_man_file(const struct enc_config *config)
{
    (void)config;
    const struct enc_config_row *rows;
    size_t count = enc_config_rows(&rows);
    enc_man_page("enclaved.yaml", 5, "configuration of enclaved");
    enc_man_section("DESCRIPTION");
    enc_man_text(
        "A YAML file that enclaved reads when --config or ENCLAVED_CONFIG names it. The dots "
        "of a key are levels of the file. Unknown keys, keys given twice and values out of "
        "their bounds are refused, each with its line; enclaved --check-config tells them "
        "without starting, enclaved --print-config shows every value and its source. No key "
        "holds a secret; some name a file with one.");
    enc_man_section("KEYS");
    for (size_t i = 0; i < count; i++)
        put_key(&rows[i]);
    enc_man_section("EXAMPLE");
    enc_man_sample("data: /var/lib/enclaved\nlisten: 0.0.0.0:8080\ntls:\n  listen: 0.0.0.0:8443\n"
                   "  certificate: /etc/enclaved/tls.crt\n  key: /etc/enclaved/tls.key\n"
                   "limits:\n  connections: 50000");
    enc_man_see("encctl(1) enclaved(8)");
}
