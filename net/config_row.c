#include "net/config_row.h"

#include "net/address.h"
#include "proto/utf8.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { FIXED, LIVE };
enum { MILLION = 1000000 };

#define AT(field) offsetof(struct enc_config, field)
#define ROW(row_type, field, row_key, row_flag, reload)                                            \
    .type = ENC_CONFIG_##row_type, .key = (row_key), .flag = (row_flag), .is_live = (reload),      \
    .offset = AT(field)
#define ENC_TEXT(field, key_, flag_, reload, preset_, help_)                                       \
    {ROW(TEXT, field, key_, flag_, reload), .text = (preset_), .help = (help_)},
#define ENC_ADDRESS(field, key_, flag_, reload, preset_, help_)                                    \
    {ROW(ADDRESS, field, key_, flag_, reload), .text = (preset_), .help = (help_)},
#define ENC_NUMBER(field, key_, flag_, reload, min_, max_, preset_, help_)                         \
    {ROW(NUMBER, field, key_, flag_, reload),                                                      \
     .size = 8,                                                                                    \
     .min = (min_),                                                                                \
     .max = (max_),                                                                                \
     .preset = (preset_),                                                                          \
     .help = (help_)},
#define ENC_BOOL(field, key_, flag_, reload, preset_, help_)                                       \
    {ROW(BOOL, field, key_, flag_, reload), .preset = (preset_), .help = (help_)},
#define ENC_CHOICE(field, key_, flag_, reload, names, preset_, help_)                              \
    {ROW(CHOICE, field, key_, flag_, reload), .text = (names), .preset = (preset_),                \
     .help = (help_)},
#define ENC_RATIO(field, key_, flag_, reload, preset_, help_)                                      \
    {ROW(RATIO, field, key_, flag_, reload), .preset = (preset_), .help = (help_)},
#define ENC_LIST(field, key_, flag_, reload, help_)                                                \
    {ROW(LIST, field, key_, flag_, reload), .help = (help_)},
#define ENC_LIMIT(field, key_, min_, max_, help_)                                                  \
    {ROW(NUMBER, limits.field, key_, NULL, FIXED),                                                 \
     .min = (min_),                                                                                \
     .max = (max_),                                                                                \
     .help = (help_),                                                                              \
     .size = sizeof(((struct enc_config *)0)->limits.field),                                       \
     .keeps_default = true},

static const struct enc_config_row ROWS[] = {
#include "net/config.def"
};

enum { ROW_COUNT = sizeof ROWS / sizeof *ROWS };
_Static_assert(ROW_COUNT + ENC_SERVICE_MAX <= ENC_CONFIG_ROWS_MAX, "room for every row's origin");

/* The rows above and those of the services; made when first asked for, on the main thread. */
static struct enc_config_row all_rows[ROW_COUNT + ENC_SERVICE_MAX];
static char host_keys[ENC_SERVICE_MAX][ENC_CONFIG_KEY_MAX];
static size_t all_count;

static struct enc_config_row host_row(size_t service)
{
    char *key = host_keys[service];
    snprintf(key, ENC_CONFIG_KEY_MAX, "services.%s.hosts", enc_service_at(service)->name);
    return (struct enc_config_row){
        .type = ENC_CONFIG_LIST,
        .key = key,
        .offset = AT(hosts) + service * sizeof(struct enc_config_list),
        .help = "host names at whose root it is, instead of its path",
    };
}

size_t enc_config_rows(const struct enc_config_row **out)
{
    if (all_count == 0) {
        memcpy(all_rows, ROWS, sizeof ROWS);
        for (size_t i = 0; i < enc_service_count(); i++)
            all_rows[ROW_COUNT + i] = host_row(i);
        all_count = ROW_COUNT + enc_service_count();
    }
    *out = all_rows;
    return all_count;
}

static size_t index_of(const struct enc_config_row *row)
{
    return (size_t)(row - all_rows);
}

void enc_config_note(struct enc_config *config, const struct enc_config_row *row,
                     struct enc_config_origin origin)
{
    config->origins[index_of(row)] = origin;
}

struct enc_config_origin enc_config_origin(const struct enc_config *config,
                                           const struct enc_config_row *row)
{
    return config->origins[index_of(row)];
}

const struct enc_config_row *enc_config_row_of_key(const char *key)
{
    const struct enc_config_row *rows;
    size_t count = enc_config_rows(&rows);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(rows[i].key, key) == 0)
            return &rows[i];
    }
    return NULL;
}

const struct enc_config_row *enc_config_row_of_flag(const char *flag)
{
    const struct enc_config_row *rows;
    size_t count = enc_config_rows(&rows);
    for (size_t i = 0; i < count; i++) {
        if (rows[i].flag && strcmp(rows[i].flag, flag) == 0)
            return &rows[i];
    }
    return NULL;
}

void enc_config_env_name(char out[ENC_CONFIG_KEY_MAX], const struct enc_config_row *row)
{
    snprintf(out, ENC_CONFIG_KEY_MAX, "ENCLAVED_%s", row->key);
    for (char *at = out; *at; at++)
        *at = *at == '.' || *at == '-' ? '_' : (char)toupper((unsigned char)*at);
}

static void *slot(const struct enc_config *config, const struct enc_config_row *row)
{
    return (char *)(uintptr_t)config + row->offset;
}

static uint64_t number_get(const struct enc_config *config, const struct enc_config_row *row)
{
    uint32_t small = 0;
    uint64_t large = 0;
    if (row->size == sizeof small) {
        memcpy(&small, slot(config, row), sizeof small);
        return small;
    }
    memcpy(&large, slot(config, row), sizeof large);
    return large;
}

static void number_put(struct enc_config *config, const struct enc_config_row *row, uint64_t value)
{
    uint32_t small = (uint32_t)value;
    if (row->size == sizeof small)
        memcpy(slot(config, row), &small, sizeof small);
    else
        memcpy(slot(config, row), &value, sizeof value);
}

static char *copied(const char *text)
{
    char *copy = strdup(text);
    ENC_CHECK(copy != NULL);
    return copy;
}

static const char *set_text(struct enc_config *config, const struct enc_config_row *row,
                            const char *text)
{
    char **value = slot(config, row);
    free(*value);
    *value = copied(text);
    return NULL;
}

static const char *set_address(struct enc_config *config, const struct enc_config_row *row,
                               const char *text)
{
    struct enc_endpoint endpoint;
    bool may_be_empty = row->text[0] == '\0';
    if (!(may_be_empty && text[0] == '\0') && !enc_endpoint_parse(&endpoint, text))
        return "not HOST:PORT";
    return set_text(config, row, text);
}

static const char *set_number(struct enc_config *config, char why[128],
                              const struct enc_config_row *row, const char *text)
{
    size_t len = strlen(text);
    if (len == 0 || len > 19 || strspn(text, "0123456789") != len)
        return "not a number";
    uint64_t value = strtoull(text, NULL, 10);
    if (value < row->min || value > row->max) {
        snprintf(why, 128, "not between %llu and %llu", (unsigned long long)row->min,
                 (unsigned long long)row->max);
        return why;
    }
    number_put(config, row, value);
    return NULL;
}

static const char *set_bool(struct enc_config *config, const struct enc_config_row *row,
                            const char *text)
{
    bool is_true = strcmp(text, "true") == 0;
    if (!is_true && strcmp(text, "false") != 0)
        return "neither true nor false";
    *(bool *)slot(config, row) = is_true;
    return NULL;
}

/* Whether name is the first of the names at *names; moves *names behind it. */
static bool take_name(const char **names, const char *name)
{
    size_t len = strcspn(*names, "|");
    bool is_same = len == strlen(name) && strncmp(*names, name, len) == 0;
    *names += len + ((*names)[len] == '|');
    return is_same;
}

static const char *set_choice(struct enc_config *config, char why[128],
                              const struct enc_config_row *row, const char *text)
{
    const char *names = row->text;
    for (uint32_t i = 0; *names; i++) {
        if (take_name(&names, text)) {
            *(uint32_t *)slot(config, row) = i;
            return NULL;
        }
    }
    snprintf(why, 128, "not one of %s", row->text);
    return why;
}

/* "0", "1", "0.25": at most six digits behind the point. */
static const char *set_ratio(struct enc_config *config, const struct enc_config_row *row,
                             const char *text)
{
    static const char WRONG[] = "not a number from 0 to 1 with at most 6 decimals";
    uint32_t ppm = 0, place = MILLION;
    if ((text[0] != '0' && text[0] != '1') || (text[1] != '\0' && text[1] != '.'))
        return WRONG;
    for (const char *at = text; *at; at++) {
        if (at == text + 1)
            continue;
        if (place == 0 || !isdigit((unsigned char)*at))
            return WRONG;
        ppm += (uint32_t)(*at - '0') * place;
        place /= 10;
    }
    if (ppm > MILLION || (text[1] == '.' && text[2] == '\0'))
        return WRONG;
    *(uint32_t *)slot(config, row) = ppm;
    return NULL;
}

static const char *add_item(struct enc_config *config, const struct enc_config_row *row,
                            const char *text)
{
    struct enc_config_list *list = slot(config, row);
    if (text[0] == '\0')
        return "empty";
    char **items = realloc(list->items, (list->count + 1) * sizeof *items);
    ENC_CHECK(items != NULL);
    list->items = items;
    list->items[list->count++] = copied(text);
    return NULL;
}

void enc_config_preset(struct enc_config *config, const struct enc_config_row *row)
{
    switch (row->type) {
    case ENC_CONFIG_TEXT:
    case ENC_CONFIG_ADDRESS:
        set_text(config, row, row->text);
        return;
    case ENC_CONFIG_NUMBER:
        if (!row->keeps_default)
            number_put(config, row, row->preset);
        return;
    case ENC_CONFIG_BOOL:
        *(bool *)slot(config, row) = row->preset != 0;
        return;
    case ENC_CONFIG_CHOICE:
    case ENC_CONFIG_RATIO:
        *(uint32_t *)slot(config, row) = (uint32_t)row->preset;
        return;
    case ENC_CONFIG_LIST:
        return;
    }
}

const char *enc_config_set(struct enc_config *config, char why[128],
                           const struct enc_config_row *row, const char *text)
{
    if (strlen(text) > ENC_CONFIG_VALUE_MAX)
        return "too long";
    if (!enc_utf8_is_valid(enc_bytes_of_text(text)))
        return "not UTF-8"; /* neither could it be printed as YAML */
    switch (row->type) {
    case ENC_CONFIG_TEXT:
        return set_text(config, row, text);
    case ENC_CONFIG_ADDRESS:
        return set_address(config, row, text);
    case ENC_CONFIG_NUMBER:
        return set_number(config, why, row, text);
    case ENC_CONFIG_BOOL:
        return set_bool(config, row, text);
    case ENC_CONFIG_CHOICE:
        return set_choice(config, why, row, text);
    case ENC_CONFIG_RATIO:
        return set_ratio(config, row, text);
    case ENC_CONFIG_LIST:
        return add_item(config, row, text);
    }
    return "of an unknown type";
}

static void get_choice(char *out, size_t len, const struct enc_config_row *row, uint32_t index)
{
    const char *names = row->text;
    while (index-- > 0)
        names += strcspn(names, "|") + 1;
    snprintf(out, len, "%.*s", (int)strcspn(names, "|"), names);
}

static void get_ratio(char *out, size_t len, uint32_t ppm)
{
    int decimals = 6;
    uint32_t rest = ppm % MILLION;
    for (; decimals > 0 && rest % 10 == 0; decimals--)
        rest /= 10;
    snprintf(out, len, decimals ? "%u.%0*u" : "%u", ppm / MILLION, decimals, rest);
}

static void get_list(char *out, size_t len, const struct enc_config_list *list)
{
    size_t at = 0;
    out[0] = '\0';
    for (size_t i = 0; i < list->count && at < len; i++)
        at += (size_t)snprintf(out + at, len - at, "%s%s", i ? "," : "", list->items[i]);
}

void enc_config_get(const struct enc_config *config, char *out, size_t len,
                    const struct enc_config_row *row)
{
    switch (row->type) {
    case ENC_CONFIG_TEXT:
    case ENC_CONFIG_ADDRESS:
        snprintf(out, len, "%s", *(char **)slot(config, row));
        return;
    case ENC_CONFIG_NUMBER:
        snprintf(out, len, "%llu", (unsigned long long)number_get(config, row));
        return;
    case ENC_CONFIG_BOOL:
        snprintf(out, len, "%s", *(bool *)slot(config, row) ? "true" : "false");
        return;
    case ENC_CONFIG_CHOICE:
        get_choice(out, len, row, *(uint32_t *)slot(config, row));
        return;
    case ENC_CONFIG_RATIO:
        get_ratio(out, len, *(uint32_t *)slot(config, row));
        return;
    case ENC_CONFIG_LIST:
        get_list(out, len, slot(config, row));
        return;
    }
}

const struct enc_config_list *enc_config_items(const struct enc_config *config,
                                               const struct enc_config_row *row)
{
    return row->type == ENC_CONFIG_LIST ? slot(config, row) : NULL;
}

static void clear_list(struct enc_config_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
    *list = (struct enc_config_list){NULL, 0};
}

static void clear_text(char **text)
{
    free(*text);
    *text = NULL;
}

void enc_config_clear(struct enc_config *config, const struct enc_config_row *row)
{
    if (row->type == ENC_CONFIG_LIST)
        clear_list(slot(config, row));
    else if (row->type == ENC_CONFIG_TEXT || row->type == ENC_CONFIG_ADDRESS)
        clear_text(slot(config, row));
}

static size_t slot_len(const struct enc_config_row *row)
{
    static const size_t LEN[] = {
        [ENC_CONFIG_TEXT] = sizeof(char *),    [ENC_CONFIG_ADDRESS] = sizeof(char *),
        [ENC_CONFIG_BOOL] = sizeof(bool),      [ENC_CONFIG_CHOICE] = sizeof(uint32_t),
        [ENC_CONFIG_RATIO] = sizeof(uint32_t), [ENC_CONFIG_LIST] = sizeof(struct enc_config_list),
    };
    return row->type == ENC_CONFIG_NUMBER ? row->size : LEN[row->type];
}

void enc_config_swap(struct enc_config *a, struct enc_config *b, const struct enc_config_row *row)
{
    char kept[sizeof(struct enc_config_list)];
    size_t len = slot_len(row);
    memcpy(kept, slot(a, row), len);
    memcpy(slot(a, row), slot(b, row), len);
    memcpy(slot(b, row), kept, len);
}
