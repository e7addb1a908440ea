/* The rows for programs: the values as YAML, the file's JSON Schema. */
#include "net/config_doc.h"
#include "proto/utf8.h"

#include <stdio.h>

static void indent(unsigned depth)
{
    printf("%*s", (int)(2 * depth), "");
}

/* Controls, what YAML takes for the end of a line, and what it does not take at all. */
static bool needs_number(uint32_t character)
{
    return character < 0x20 || (character >= 0x7f && character < 0xa0) ||
           (character | 1) == 0x2029 || character == 0xfeff || (character | 1) == 0xffff;
}

/* The character of len bytes at at, which is well-formed. */
static uint32_t character_at(const char *at, size_t len)
{
    static const uint8_t LEAD[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    uint32_t character = (uint8_t)at[0] & LEAD[len];
    for (size_t i = 1; i < len; i++)
        character = character << 6 | ((uint8_t)at[i] & 0x3f);
    return character;
}

/* Quoted as both YAML and JSON read it. */
static void put_quoted(const char *text)
{
    const char *end = text + strlen(text);
    putchar('"');
    while (text < end) {
        size_t len = enc_utf8_len((const uint8_t *)text, (const uint8_t *)end);
        len = len ? len : 1;
        uint32_t character = character_at(text, len);
        if (needs_number(character))
            printf("\\u%04x", character);
        else
            printf("%s%.*s", *text == '"' || *text == '\\' ? "\\" : "", (int)len, text);
        text += len;
    }
    putchar('"');
}

/* ---- --print-config ---- */

static void put_list(const struct enc_config_list *list)
{
    putchar('[');
    for (size_t i = 0; i < list->count; i++) {
        fputs(i ? ", " : "", stdout);
        put_quoted(list->items[i]);
    }
    putchar(']');
}

static void put_value(const struct enc_config *config, const struct enc_config_row *row)
{
    char value[ENC_CONFIG_VALUE_MAX + 1];
    if (row->type == ENC_CONFIG_LIST) {
        put_list(enc_config_items(config, row));
        return;
    }
    enc_config_get(config, value, sizeof value, row);
    if (row->type == ENC_CONFIG_NUMBER || row->type == ENC_CONFIG_BOOL ||
        row->type == ENC_CONFIG_RATIO)
        fputs(value, stdout);
    else
        put_quoted(value);
}

static void put_source(const struct enc_config *config, const struct enc_config_row *row)
{
    char name[ENC_CONFIG_KEY_MAX];
    struct enc_config_origin origin = enc_config_origin(config, row);
    enc_config_env_name(name, row);
    switch (origin.source) {
    case ENC_CONFIG_DEFAULT:
        fputs("default", stdout);
        return;
    case ENC_CONFIG_FILE:
        printf("%s:%u", config->path, origin.line);
        return;
    case ENC_CONFIG_ENVIRON:
        printf("environment %s", name);
        return;
    case ENC_CONFIG_FLAG:
        printf("flag %s", row->flag);
        return;
    }
}

static void print_enter(void *opaque, const char *name, unsigned depth)
{
    (void)opaque;
    indent(depth);
    printf("%s:\n", name);
}

static void print_key(void *opaque, const struct enc_config_row *row, const char *name,
                      unsigned depth)
{
    indent(depth);
    printf("%s: ", name);
    put_value(opaque, row);
    fputs(" # ", stdout);
    put_source(opaque, row);
    putchar('\n');
}

static void print_leave(void *opaque, unsigned depth)
{
    (void)opaque;
    (void)depth;
}

void enc_config_print(const struct enc_config *config)
{
    enc_config_visit(&(struct enc_config_visitor){.enter = print_enter,
                                                  .key = print_key,
                                                  .leave = print_leave,
                                                  .opaque = (void *)(uintptr_t)config});
}

/* ---- --print-schema: draft 7, which every Helm 3 reads ---- */

struct schema {
    bool has_sibling; /* something of the same object came before */
};

static void open_member(struct schema *schema, const char *name, unsigned depth)
{
    fputs(schema->has_sibling ? ",\n" : "\n", stdout);
    indent(2 * depth + 2);
    printf("\"%s\": {", name);
    schema->has_sibling = true;
}

static void schema_enter(void *opaque, const char *name, unsigned depth)
{
    struct schema *schema = opaque;
    open_member(schema, name, depth);
    fputs("\"type\": \"object\", \"additionalProperties\": false, \"properties\": {", stdout);
    schema->has_sibling = false;
}

static void schema_leave(void *opaque, unsigned depth)
{
    struct schema *schema = opaque;
    putchar('\n');
    indent(2 * depth + 2);
    fputs("}}", stdout);
    schema->has_sibling = true;
}

static void put_names(const char *names)
{
    fputs(", \"enum\": [", stdout);
    while (*names) {
        size_t len = strcspn(names, "|");
        printf("\"%.*s\"%s", (int)len, names, names[len] ? ", " : "");
        names += len + (names[len] == '|');
    }
    putchar(']');
}

static void put_type(const struct enc_config_row *row)
{
    static const char *const TYPES[] = {
        [ENC_CONFIG_TEXT] = "string",    [ENC_CONFIG_ADDRESS] = "string",
        [ENC_CONFIG_NUMBER] = "integer", [ENC_CONFIG_BOOL] = "boolean",
        [ENC_CONFIG_RATIO] = "number",   [ENC_CONFIG_CHOICE] = "string",
        [ENC_CONFIG_LIST] = "array",
    };
    printf("\"type\": \"%s\"", TYPES[row->type]);
    if (row->type == ENC_CONFIG_NUMBER)
        printf(", \"minimum\": %llu, \"maximum\": %llu", (unsigned long long)row->min,
               (unsigned long long)row->max);
    if (row->type == ENC_CONFIG_RATIO)
        fputs(", \"minimum\": 0, \"maximum\": 1", stdout);
    if (row->type == ENC_CONFIG_CHOICE)
        put_names(row->text);
    if (row->type == ENC_CONFIG_LIST)
        fputs(", \"items\": {\"type\": \"string\", \"minLength\": 1}", stdout);
}

static void schema_key(void *opaque, const struct enc_config_row *row, const char *name,
                       unsigned depth)
{
    static struct enc_config presets;
    open_member(opaque, name, depth);
    put_type(row);
    fputs(", \"default\": ", stdout);
    enc_config_init(&presets);
    put_value(&presets, row);
    enc_config_fini(&presets);
    fputs(", \"description\": ", stdout);
    put_quoted(row->help);
    putchar('}');
}

void enc_config_schema(const struct enc_config *config)
{
    (void)config;
    struct schema schema = {.has_sibling = false};
    puts("{\n  \"$schema\": \"http://json-schema.org/draft-07/schema#\",\n"
         "  \"title\": \"Configuration of enclaved\",\n"
         "  \"type\": \"object\",\n  \"additionalProperties\": false,");
    fputs("  \"properties\": {", stdout);
    enc_config_visit(&(struct enc_config_visitor){
        .enter = schema_enter, .key = schema_key, .leave = schema_leave, .opaque = &schema});
    puts("\n  }\n}");
}
