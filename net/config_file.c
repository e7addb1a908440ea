/* The YAML file: nested mappings whose keys, joined by dots, are the keys of config.def. */
#include "net/config_row.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <yaml.h>

enum { ROWS_MAX = 128 };

struct reader {
    struct enc_config *config;
    struct enc_config_fault *fault;
    const char *path;
    yaml_document_t document;
    bool seen[ROWS_MAX];
};

static bool refuse(struct reader *reader, size_t line0, const char *key, const char *what)
{
    snprintf(reader->fault->text, sizeof reader->fault->text, "%s:%zu: %s%s%s", reader->path,
             line0 + 1, key, *key ? ": " : "", what);
    return false;
}

static bool refuse_node(struct reader *reader, const yaml_node_t *node, const char *key,
                        const char *what)
{
    return refuse(reader, node->start_mark.line, key, what);
}

static bool read_scalar(struct reader *reader, const struct enc_config_row *row,
                        const yaml_node_t *node)
{
    char why[128];
    if (node->type != YAML_SCALAR_NODE)
        return refuse_node(reader, node, row->key, "must be a single value");
    const char *text = (const char *)node->data.scalar.value;
    if (strlen(text) != node->data.scalar.length)
        return refuse_node(reader, node, row->key, "contains a NUL");
    const char *wrong = enc_config_set(reader->config, why, row, text);
    return wrong ? refuse_node(reader, node, row->key, wrong) : true;
}

static bool read_list(struct reader *reader, const struct enc_config_row *row,
                      const yaml_node_t *node)
{
    if (node->type != YAML_SEQUENCE_NODE)
        return read_scalar(reader, row, node);
    const yaml_node_item_t *item = node->data.sequence.items.start;
    for (; item < node->data.sequence.items.top; item++) {
        if (!read_scalar(reader, row, yaml_document_get_node(&reader->document, *item)))
            return false;
    }
    return true;
}

static bool read_row(struct reader *reader, const struct enc_config_row *row,
                     const yaml_node_t *node)
{
    const struct enc_config_row *rows;
    size_t count = enc_config_rows(&rows);
    ENC_CHECK(count <= ROWS_MAX);
    bool *seen = &reader->seen[row - rows];
    if (*seen)
        return refuse_node(reader, node, row->key, "given twice");
    *seen = true;
    return row->type == ENC_CONFIG_LIST ? read_list(reader, row, node)
                                        : read_scalar(reader, row, node);
}

static bool is_group(const char *key)
{
    const struct enc_config_row *rows;
    size_t count = enc_config_rows(&rows);
    size_t len = strlen(key);
    for (size_t i = 0; i < count; i++) {
        if (strncmp(rows[i].key, key, len) == 0 && rows[i].key[len] == '.')
            return true;
    }
    return false;
}

static bool read_mapping(struct reader *reader, const yaml_node_t *node, const char *group);

static bool read_pair(struct reader *reader, const char *group, const yaml_node_pair_t *pair)
{
    const yaml_node_t *name = yaml_document_get_node(&reader->document, pair->key);
    const yaml_node_t *value = yaml_document_get_node(&reader->document, pair->value);
    char key[ENC_CONFIG_KEY_MAX];
    if (name->type != YAML_SCALAR_NODE)
        return refuse_node(reader, name, group, "a key must be a name");
    const char *text = (const char *)name->data.scalar.value;
    int len = snprintf(key, sizeof key, "%s%s%s", group, *group ? "." : "", text);
    const struct enc_config_row *row = enc_config_row_of_key(key);
    if (row && len < (int)sizeof key)
        return read_row(reader, row, value);
    if (!is_group(key) || len >= (int)sizeof key)
        return refuse_node(reader, name, key, "unknown key");
    return read_mapping(reader, value, key);
}

/* Groups nest as deep as the keys have dots, so the recursion ends there. */
static bool read_mapping(struct reader *reader, const yaml_node_t *node, const char *group)
{
    if (node->type != YAML_MAPPING_NODE)
        return refuse_node(reader, node, group, "must be a mapping of keys");
    const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
    for (; pair < node->data.mapping.pairs.top; pair++) {
        if (!read_pair(reader, group, pair))
            return false;
    }
    return true;
}

static bool read_document(struct reader *reader, yaml_parser_t *parser)
{
    if (!yaml_parser_load(parser, &reader->document))
        return refuse(reader, parser->problem_mark.line, "",
                      parser->problem ? parser->problem : "not readable");
    const yaml_node_t *root = yaml_document_get_root_node(&reader->document);
    bool is_good = !root || read_mapping(reader, root, "");
    yaml_document_delete(&reader->document);
    return is_good;
}

static bool read_stream(struct reader *reader, FILE *file)
{
    yaml_parser_t parser;
    ENC_CHECK(yaml_parser_initialize(&parser) == 1);
    yaml_parser_set_input_file(&parser, file);
    bool is_good = read_document(reader, &parser);
    yaml_parser_delete(&parser);
    return is_good;
}

bool enc_config_read_file(struct enc_config *config, struct enc_config_fault *fault,
                          const char *path)
{
    struct reader reader = {.config = config, .fault = fault, .path = path};
    FILE *file = fopen(path, "re");
    if (!file) {
        snprintf(fault->text, sizeof fault->text, "%s: %s", path, strerror(errno));
        return false;
    }
    bool is_good = read_stream(&reader, file);
    fclose(file);
    return is_good;
}
