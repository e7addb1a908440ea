#include "net/config.h"

#include "net/address.h"
#include "net/config_row.h"
#include "net/fields.h"
#include "net/follow.h"
#include "net/mount.h"
#include "net/tls.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

void enc_config_blame(struct enc_config_fault *fault, const char *source, const char *key,
                      const char *what)
{
    size_t at = fault->count ? strlen(fault->text) : 0;
    snprintf(fault->text + at, sizeof fault->text - at, "%s%s%s%s: %s", at ? "\n" : "", source,
             *source && *key ? ": " : "", key, what);
    fault->count++;
}

void enc_config_init(struct enc_config *config)
{
    const struct enc_config_row *rows;
    size_t count = enc_config_rows(&rows);
    memset(config, 0, sizeof *config);
    enc_limits_default(&config->limits);
    for (size_t i = 0; i < count; i++)
        enc_config_preset(config, &rows[i]);
}

void enc_config_fini(struct enc_config *config)
{
    const struct enc_config_row *rows;
    size_t count = enc_config_rows(&rows);
    for (size_t i = 0; i < count; i++)
        enc_config_clear(config, &rows[i]);
}

/* The value of name in the environment, or NULL. */
static const char *environ_find(char **environ_kv, const char *name)
{
    size_t len = strlen(name);
    for (; *environ_kv; environ_kv++) {
        if (strncmp(*environ_kv, name, len) == 0 && (*environ_kv)[len] == '=')
            return *environ_kv + len + 1;
    }
    return NULL;
}

static const char *set_items(struct enc_config *config, char why[128],
                             const struct enc_config_row *row, const char *text)
{
    char *copy = strdup(text);
    ENC_CHECK(copy != NULL);
    const char *wrong = NULL;
    char *rest = copy;
    for (char *item = strsep(&rest, ","); item && !wrong; item = strsep(&rest, ","))
        wrong = enc_config_set(config, why, row, item);
    free(copy);
    return wrong;
}

static void read_variable(struct enc_config *config, struct enc_config_fault *fault,
                          const struct enc_config_row *row, const char *text)
{
    char name[ENC_CONFIG_KEY_MAX], why[128];
    bool is_list = row->type == ENC_CONFIG_LIST;
    if (is_list)
        enc_config_clear(config, row);
    const char *wrong =
        is_list ? set_items(config, why, row, text) : enc_config_set(config, why, row, text);
    enc_config_note(config, row, (struct enc_config_origin){.source = ENC_CONFIG_ENVIRON});
    enc_config_env_name(name, row);
    if (wrong)
        enc_config_blame(fault, name, row->key, wrong);
}

static void read_environ(struct enc_config *config, struct enc_config_fault *fault,
                         char **environ_kv)
{
    const struct enc_config_row *rows;
    size_t count = enc_config_rows(&rows);
    char name[ENC_CONFIG_KEY_MAX];
    for (size_t i = 0; i < count; i++) {
        enc_config_env_name(name, &rows[i]);
        const char *text = environ_find(environ_kv, name);
        if (text)
            read_variable(config, fault, &rows[i], text);
    }
}

static void blame_otel(void *fault, const char *name, const char *wrong)
{
    enc_config_blame(fault, "", name, wrong);
}

/* One argument: a flag with its value, or one of those that stand alone. */
struct argument {
    char flag[32];
    const char *value; /* NULL = none was given */
};

static const struct enc_config_lone LONES[] = {
    {"--check-config", ENC_CONFIG_CHECK, "read and check the configuration, then end"},
    {"--print-config", ENC_CONFIG_PRINT, "the same, and print every value with its source"},
    {"--print-schema", ENC_CONFIG_SCHEMA, "print the JSON Schema of the file"},
    {"--print-reference", ENC_CONFIG_REFERENCE, "print the keys as Markdown"},
    {"--print-man", ENC_CONFIG_MAN, "print the page enclaved(8)"},
    {"--print-man-file", ENC_CONFIG_MAN_FILE, "print the page enclaved.yaml(5)"},
    {"--version", ENC_CONFIG_VERSION, "print the version"},
    {"--help", ENC_CONFIG_HELP, "print this"},
};

size_t enc_config_lones(const struct enc_config_lone **out)
{
    *out = LONES;
    return sizeof LONES / sizeof *LONES;
}

static const struct enc_config_lone *lone_of(const char *flag)
{
    for (size_t i = 0; i < sizeof LONES / sizeof *LONES; i++) {
        if (strcmp(LONES[i].flag, flag) == 0)
            return &LONES[i];
    }
    return NULL;
}

/* Read the argument at *index, moving it to its last word. */
static void take_argument(struct argument *out, int *index,
                          const struct enc_config_sources *sources)
{
    const char *word = sources->argv[*index];
    size_t len = strcspn(word, "=");
    snprintf(out->flag, sizeof out->flag, "%.*s", (int)(len < 32 ? len : 31), word);
    out->value = word[len] == '=' ? word + len + 1 : NULL;
    if (!out->value && !lone_of(out->flag) && *index + 1 < sources->argc)
        out->value = sources->argv[++*index];
}

/* What does not depend on any value is answered whatever else is wrong. */
static bool asks_only(enum enc_config_action *action, const struct enc_config_sources *sources)
{
    struct argument argument;
    for (int i = 1; i < sources->argc; i++) {
        take_argument(&argument, &i, sources);
        const struct enc_config_lone *lone = lone_of(argument.flag);
        if (lone && lone->action > ENC_CONFIG_PRINT) {
            *action = lone->action;
            return true;
        }
    }
    return false;
}

/* --config is needed before all other flags: it names a source of lower precedence. */
static const char *find_file(const struct enc_config_sources *sources)
{
    const char *path = environ_find(sources->environ_kv, "ENCLAVED_CONFIG");
    struct argument argument;
    for (int i = 1; i < sources->argc; i++) {
        take_argument(&argument, &i, sources);
        if (strcmp(argument.flag, "--config") == 0 && argument.value)
            path = argument.value;
    }
    return path;
}

struct flags {
    struct enc_config *config;
    struct enc_config_fault *fault;
    enum enc_config_action action;
};

static const char *set_row(struct flags *flags, char why[128], const struct enc_config_row *row,
                           const char *text)
{
    struct enc_config_origin origin = enc_config_origin(flags->config, row);
    if (row->type == ENC_CONFIG_LIST && origin.source != ENC_CONFIG_FLAG)
        enc_config_clear(flags->config, row); /* it replaces what lower sources gave, once */
    enc_config_note(flags->config, row, (struct enc_config_origin){.source = ENC_CONFIG_FLAG});
    return enc_config_set(flags->config, why, row, text);
}

static void set_flag(struct flags *flags, const struct argument *argument)
{
    char why[128];
    const char *wrong = NULL;
    const struct enc_config_row *row = enc_config_row_of_flag(argument->flag);
    if (!row && strcmp(argument->flag, "--config") != 0)
        wrong = "unknown flag; see --help";
    else if (!argument->value)
        wrong = "needs a value";
    else if (row)
        wrong = set_row(flags, why, row, argument->value);
    if (wrong)
        enc_config_blame(flags->fault, "", argument->flag, wrong);
}

static void read_flags(struct flags *flags, const struct enc_config_sources *sources)
{
    struct argument argument;
    for (int i = 1; i < sources->argc; i++) {
        take_argument(&argument, &i, sources);
        const struct enc_config_lone *lone = lone_of(argument.flag);
        if (lone && argument.value)
            enc_config_blame(flags->fault, "", argument.flag, "takes no value");
        else if (lone)
            flags->action = lone->action;
        else
            set_flag(flags, &argument);
    }
}

static bool knows_service(const char *name)
{
    for (size_t i = 0; i < enc_service_count(); i++) {
        if (strcmp(enc_service_at(i)->name, name) == 0)
            return true;
    }
    return false;
}

/* Whether the item is also before its place, in the lists of all services taken together. */
static bool is_given_before(const struct enc_config *config, size_t service, size_t index)
{
    const char *host = config->hosts[service].items[index];
    for (size_t i = 0; i <= service; i++) {
        size_t count = i == service ? index : config->hosts[i].count;
        for (size_t k = 0; k < count; k++) {
            if (strcasecmp(config->hosts[i].items[k], host) == 0)
                return true;
        }
    }
    return false;
}

static void check_hosts(const struct enc_config *config, struct enc_config_fault *fault,
                        size_t service)
{
    char key[ENC_CONFIG_KEY_MAX];
    const struct enc_config_list *hosts = &config->hosts[service];
    snprintf(key, sizeof key, "services.%s.hosts", enc_service_at(service)->name);
    for (size_t i = 0; i < hosts->count; i++) {
        if (!enc_mount_host_is_valid(hosts->items[i]))
            enc_config_blame(fault, key, hosts->items[i], "not a host name without a port");
        else if (is_given_before(config, service, i))
            enc_config_blame(fault, key, hosts->items[i], "given twice");
    }
}

static void check_services(const struct enc_config *config, struct enc_config_fault *fault)
{
    for (size_t i = 0; i < enc_service_count(); i++)
        check_hosts(config, fault, i);
    for (size_t i = 0; i < config->services.count; i++) {
        if (!knows_service(config->services.items[i]))
            enc_config_blame(fault, "service", config->services.items[i], "no such service");
    }
}

static void check_registry(const struct enc_config *config, struct enc_config_fault *fault)
{
    uint8_t owner32[32];
    const char *item = NULL;
    if (config->registry_owner[0] && !enc_public_key_parse(owner32, config->registry_owner))
        enc_config_blame(fault, "", "registry.owner", "not a public key of 64 hex digits");
    const char *wrong = enc_follows_check(&config->registry_follow, &item);
    if (wrong)
        enc_config_blame(fault, "registry.follow", item, wrong);
}

static void check_log(const struct enc_config *config, struct enc_config_fault *fault)
{
    struct enc_log_levels levels = {{ENC_LOG_INFO}};
    const char *wrong = enc_log_levels_parse(&levels, config->log_levels);
    if (wrong)
        enc_config_blame(fault, "log.levels", config->log_levels, wrong);
}

static void check_tls(const struct enc_config *config, struct enc_config_fault *fault)
{
    if (!config->tls_certificate[0] != !config->tls_key[0])
        enc_config_blame(fault, "", config->tls_key[0] ? "tls.certificate" : "tls.key",
                         "is missing");
    else if (config->tls_listen[0] && !config->tls_key[0])
        enc_config_blame(fault, "", "tls.listen", "needs tls.certificate and tls.key");
    if (!config->admin_tls_certificate[0] != !config->admin_tls_key[0])
        enc_config_blame(fault, "",
                         config->admin_tls_key[0] ? "admin_tls.certificate" : "admin_tls.key",
                         "is missing");
    else if (config->admin_tls_client_ca[0] && !config->admin_tls_key[0])
        enc_config_blame(fault, "", "admin_tls.client_ca", "needs admin_tls.certificate");
    for (size_t i = 0; i < config->tls_more.count; i++) {
        if (!enc_tls_pair_is_valid(config->tls_more.items[i]))
            enc_config_blame(fault, "tls.more", config->tls_more.items[i], "not CHAIN:KEY");
    }
}

/* What no single row can know. */
static void check_cors(const struct enc_config *config, struct enc_config_fault *fault)
{
    for (size_t i = 0; i < config->cors_origins.count; i++) {
        if (!enc_fields_origin_is_valid(config->cors_origins.items[i]))
            enc_config_blame(fault, "cors.origins", config->cors_origins.items[i],
                             "not scheme://host[:port] in lower case");
    }
}

static void check_proxies(const struct enc_config *config, struct enc_config_fault *fault)
{
    struct enc_network network;
    for (size_t i = 0; i < config->proxy_trusted.count; i++) {
        if (!enc_network_parse(&network, config->proxy_trusted.items[i]))
            enc_config_blame(fault, "proxy.trusted", config->proxy_trusted.items[i],
                             "not an address or ADDRESS/BITS");
    }
}

static void check_together(const struct enc_config *config, struct enc_config_fault *fault)
{
    check_services(config, fault);
    check_registry(config, fault);
    check_tls(config, fault);
    check_log(config, fault);
    check_cors(config, fault);
    check_proxies(config, fault);
    if (config->limits.content_len_max > config->limits.body_len_max)
        enc_config_blame(fault, "", "limits.content", "larger than limits.body");
    if (config->silence_ms < config->ping_ms)
        enc_config_blame(fault, "", "limits.silence_ms", "shorter than limits.ping_ms");
}

bool enc_config_load(struct enc_config *config, enum enc_config_action *action,
                     struct enc_config_fault *fault, const struct enc_config_sources *sources)
{
    struct flags flags = {.config = config, .fault = fault, .action = ENC_CONFIG_RUN};
    *fault = (struct enc_config_fault){.count = 0};
    if (asks_only(action, sources))
        return true;
    const char *path = find_file(sources);
    if (path)
        enc_config_read_file(config, fault, path);
    read_environ(config, fault, sources->environ_kv);
    enc_otel_read(&config->otel, sources->environ_kv, blame_otel, fault);
    read_flags(&flags, sources);
    *action = flags.action;
    if (fault->count == 0)
        check_together(config, fault);
    return fault->count == 0;
}

#define ENC_LIVE_FIXED(field)
#define ENC_LIVE_LIVE(field) .field = config->field,
#define ENC_TEXT(...)
#define ENC_ADDRESS(...)
#define ENC_NUMBER(field, key, flag, reload, ...) ENC_LIVE_##reload(field)
#define ENC_BOOL(...)
#define ENC_CHOICE(...)
#define ENC_RATIO(...)
#define ENC_LIST(...)
#define ENC_LIMIT(...)
struct enc_config_live enc_config_live(const struct enc_config *config)
{
    return (struct enc_config_live){
#include "net/config.def"
    };
}

void enc_config_adopt(struct enc_config *config, struct enc_config *fresh,
                      void (*changed)(const char *key))
{
    const struct enc_config_row *rows;
    size_t count = enc_config_rows(&rows);
    char old_value[ENC_CONFIG_VALUE_MAX + 1], new_value[ENC_CONFIG_VALUE_MAX + 1];
    for (size_t i = 0; i < count; i++) {
        enc_config_get(config, old_value, sizeof old_value, &rows[i]);
        enc_config_get(fresh, new_value, sizeof new_value, &rows[i]);
        if (rows[i].is_live)
            enc_config_swap(config, fresh, &rows[i]);
        else if (strcmp(old_value, new_value) != 0)
            changed(rows[i].key);
    }
}
