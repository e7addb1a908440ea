#include "net/config.h"

#include "net/config_row.h"
#include "net/follow.h"
#include "net/mount.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

enum { HELP_COLUMN = 34 };

static bool refuse(struct enc_config_fault *fault, const char *source, const char *key,
                   const char *what)
{
    snprintf(fault->text, sizeof fault->text, "%s%s%s: %s", source, *source && *key ? ": " : "",
             key, what);
    return false;
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

static bool read_environ(struct enc_config *config, struct enc_config_fault *fault,
                         char **environ_kv)
{
    const struct enc_config_row *rows;
    size_t count = enc_config_rows(&rows);
    char name[ENC_CONFIG_KEY_MAX], why[128];
    for (size_t i = 0; i < count; i++) {
        enc_config_env_name(name, &rows[i]);
        const char *text = environ_find(environ_kv, name);
        if (!text)
            continue;
        if (rows[i].type == ENC_CONFIG_LIST)
            enc_config_clear(config, &rows[i]);
        const char *wrong = rows[i].type == ENC_CONFIG_LIST
                                ? set_items(config, why, &rows[i], text)
                                : enc_config_set(config, why, &rows[i], text);
        if (wrong)
            return refuse(fault, name, rows[i].key, wrong);
    }
    return true;
}

/* One argument: a flag with its value, or one of those that stand alone. */
struct argument {
    char flag[32];
    const char *value; /* NULL = none was given */
};

struct lone {
    const char *flag;
    enum enc_config_action action;
};
static const struct lone LONE[] = {
    {"--check-config", ENC_CONFIG_CHECK},
    {"--help", ENC_CONFIG_HELP},
    {"--version", ENC_CONFIG_VERSION},
};

static const struct lone *lone_of(const char *flag)
{
    for (size_t i = 0; i < sizeof LONE / sizeof *LONE; i++) {
        if (strcmp(LONE[i].flag, flag) == 0)
            return &LONE[i];
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

/* --help and --version answer whatever else is wrong. */
static bool asks_only(enum enc_config_action *action, const struct enc_config_sources *sources)
{
    struct argument argument;
    for (int i = 1; i < sources->argc; i++) {
        take_argument(&argument, &i, sources);
        const struct lone *lone = lone_of(argument.flag);
        if (lone && lone->action != ENC_CONFIG_CHECK) {
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
    bool has_list; /* a list flag was seen: it replaces what lower sources gave, once */
};

static bool set_flag(struct flags *flags, const struct argument *argument)
{
    char why[128];
    const struct enc_config_row *row = enc_config_row_of_flag(argument->flag);
    if (!row && strcmp(argument->flag, "--config") != 0)
        return refuse(flags->fault, "", argument->flag, "unknown flag; see --help");
    if (!argument->value)
        return refuse(flags->fault, "", argument->flag, "needs a value");
    if (!row)
        return true;
    if (row->type == ENC_CONFIG_LIST && !flags->has_list)
        enc_config_clear(flags->config, row);
    flags->has_list |= row->type == ENC_CONFIG_LIST;
    const char *wrong = enc_config_set(flags->config, why, row, argument->value);
    return wrong ? refuse(flags->fault, "", argument->flag, wrong) : true;
}

static bool read_flags(struct flags *flags, const struct enc_config_sources *sources)
{
    struct argument argument;
    for (int i = 1; i < sources->argc; i++) {
        take_argument(&argument, &i, sources);
        const struct lone *lone = lone_of(argument.flag);
        if (lone && argument.value)
            return refuse(flags->fault, "", argument.flag, "takes no value");
        if (lone)
            flags->action = lone->action;
        else if (!set_flag(flags, &argument))
            return false;
    }
    return true;
}

static bool knows_service(const char *name)
{
    for (size_t i = 0; i < enc_service_count(); i++) {
        if (strcmp(enc_service_at(i)->name, name) == 0)
            return true;
    }
    return false;
}

static unsigned times_given(const struct enc_config *config, const char *host)
{
    unsigned times = 0;
    for (size_t i = 0; i < enc_service_count(); i++) {
        for (size_t k = 0; k < config->hosts[i].count; k++)
            times += strcasecmp(config->hosts[i].items[k], host) == 0;
    }
    return times;
}

static bool check_hosts(const struct enc_config *config, struct enc_config_fault *fault,
                        size_t service)
{
    char key[ENC_CONFIG_KEY_MAX];
    const struct enc_config_list *hosts = &config->hosts[service];
    snprintf(key, sizeof key, "services.%s.hosts", enc_service_at(service)->name);
    for (size_t i = 0; i < hosts->count; i++) {
        if (!enc_mount_host_is_valid(hosts->items[i]))
            return refuse(fault, key, hosts->items[i], "not a host name without a port");
        if (times_given(config, hosts->items[i]) > 1)
            return refuse(fault, key, hosts->items[i], "given twice");
    }
    return true;
}

static bool check_registry(const struct enc_config *config, struct enc_config_fault *fault)
{
    uint8_t owner32[32];
    const char *item = NULL;
    if (config->registry_owner[0] && !enc_public_key_parse(owner32, config->registry_owner))
        return refuse(fault, "", "registry.owner", "not a public key of 64 hex digits");
    const char *wrong = enc_follows_check(&config->registry_follow, &item);
    return wrong ? refuse(fault, "registry.follow", item, wrong) : true;
}

/* What no single row can know. */
static bool check_together(const struct enc_config *config, struct enc_config_fault *fault)
{
    for (size_t i = 0; i < enc_service_count(); i++) {
        if (!check_hosts(config, fault, i))
            return false;
    }
    for (size_t i = 0; i < config->services.count; i++) {
        if (!knows_service(config->services.items[i]))
            return refuse(fault, "service", config->services.items[i], "no such service");
    }
    if (!check_registry(config, fault))
        return false;
    if (!config->tls_certificate[0] != !config->tls_key[0])
        return refuse(fault, "", config->tls_key[0] ? "tls.certificate" : "tls.key", "is missing");
    if (config->tls_listen[0] && !config->tls_key[0])
        return refuse(fault, "", "tls.listen", "needs tls.certificate and tls.key");
    if (config->limits.content_len_max > config->limits.body_len_max)
        return refuse(fault, "", "limits.content", "larger than limits.body");
    if (config->silence_ms < config->ping_ms)
        return refuse(fault, "", "limits.silence_ms", "shorter than limits.ping_ms");
    return true;
}

bool enc_config_load(struct enc_config *config, enum enc_config_action *action,
                     struct enc_config_fault *fault, const struct enc_config_sources *sources)
{
    struct flags flags = {.config = config, .fault = fault, .action = ENC_CONFIG_RUN};
    if (asks_only(action, sources))
        return true;
    const char *path = find_file(sources);
    if (path && !enc_config_read_file(config, fault, path))
        return false;
    if (!read_environ(config, fault, sources->environ_kv) || !read_flags(&flags, sources))
        return false;
    *action = flags.action;
    return check_together(config, fault);
}

static const char *const VALUE_NAMES[] = {
    [ENC_CONFIG_TEXT] = "PATH", [ENC_CONFIG_ADDRESS] = "HOST:PORT", [ENC_CONFIG_NUMBER] = "N",
    [ENC_CONFIG_BOOL] = "BOOL", [ENC_CONFIG_CHOICE] = "NAME",       [ENC_CONFIG_LIST] = "NAME",
};

static void help_flag(const struct enc_config_row *row)
{
    char left[64];
    snprintf(left, sizeof left, "%s %s", row->flag, VALUE_NAMES[row->type]);
    printf("  %-*s%s\n", HELP_COLUMN, left, row->help);
}

static void help_key(const struct enc_config_row *row, const struct enc_config *presets)
{
    char preset[128];
    enc_config_get(presets, preset, sizeof preset, row);
    printf("  %-*s%s", HELP_COLUMN, row->key, row->help);
    if (row->type == ENC_CONFIG_CHOICE)
        printf("; %s", row->text);
    if (row->type == ENC_CONFIG_NUMBER)
        printf("; %llu to %llu", (unsigned long long)row->min, (unsigned long long)row->max);
    printf("%s%s%s\n", *preset ? " [" : "", preset, *preset ? "]" : "");
}

void enc_config_help(void)
{
    const struct enc_config_row *rows;
    size_t count = enc_config_rows(&rows);
    struct enc_config presets;
    enc_config_init(&presets);
    puts("Usage: enclaved [--config FILE] [FLAG VALUE]...\n\nFlags:");
    printf("  %-*s%s\n", HELP_COLUMN, "--config FILE", "YAML file of the keys below");
    for (size_t i = 0; i < count; i++) {
        if (rows[i].flag)
            help_flag(&rows[i]);
    }
    puts(
        "  --check-config                    read and check the configuration, then end\n"
        "  --version                         print the version\n"
        "  --help                            print this\n\n"
        "Keys (a flag goes before the environment, the environment before the file; the "
        "environment name of a\n"
        "key is ENCLAVED_ and the key in capitals with _ for . and -, as in ENCLAVED_TLS_LISTEN):");
    for (size_t i = 0; i < count; i++)
        help_key(&rows[i], &presets);
    enc_config_fini(&presets);
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
