/* The YAML file: nested mappings whose keys, joined by dots, are the keys of config.def. */
#include "net/config_row.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <yaml.h>

struct reader {
    struct enc_config *config;
    struct enc_config_fault *fault;
    const char *path;
    yaml_document_t document;
    bool seen[ENC_CONFIG_ROWS_MAX];
};

static void refuse(struct reader *reader, size_t line0, const char *key, const char *what)
{
    char place[4096 + 24];
    snprintf(place, sizeof place, "%s:%zu", reader->path, line0 + 1);
    enc_config_blame(reader->fault, place, key, what);
}

static void refuse_node(struct reader *reader, const yaml_node_t *node, const char *key,
                        const char *what)
{
    refuse(reader, node->start_mark.line, key, what);
}

static void read_scalar(struct reader *reader, const struct enc_config_row *row,
                        const yaml_node_t *node)
{
    char why[128];
    const char *wrong = "must be a single value";
    const char *text = (const char *)node->data.scalar.value;
    if (node->type == YAML_SCALAR_NODE && strlen(text) != node->data.scalar.length)
        wrong = "contains a NUL";
    else if (node->type == YAML_SCALAR_NODE)
        wrong = enc_config_set(reader->config, why, row, text);
    if (wrong)
        refuse_node(reader, node, row->key, wrong);
}

static void read_list(struct reader *reader, const struct enc_config_row *row,
                      const yaml_node_t *node)
{
    if (node->type != YAML_SEQUENCE_NODE) {
        read_scalar(reader, row, node);
        return;
    }
    const yaml_node_item_t *item = node->data.sequence.items.start;
    for (; item < node->data.sequence.items.top; item++)
        read_scalar(reader, row, yaml_document_get_node(&reader->document, *item));
}

static void read_row(struct reader *reader, const struct enc_config_row *row,
                     const yaml_node_t *node)
{
    const struct enc_config_row *rows;
    enc_config_rows(&rows);
    bool *seen = &reader->seen[row - rows];
    if (*seen) {
        refuse_node(reader, node, row->key, "given twice");
        return;
    }
    *seen = true;
    enc_config_note(reader->config, row,
                    (struct enc_config_origin){.source = ENC_CONFIG_FILE,
                                               .line = (uint32_t)node->start_mark.line + 1});
    if (row->type == ENC_CONFIG_LIST)
        read_list(reader, row, node);
    else
        read_scalar(reader, row, node);
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

static void read_mapping(struct reader *reader, const yaml_node_t *node, const char *group);

static void read_pair(struct reader *reader, const char *group, const yaml_node_pair_t *pair)
{
    const yaml_node_t *name = yaml_document_get_node(&reader->document, pair->key);
    const yaml_node_t *value = yaml_document_get_node(&reader->document, pair->value);
    char key[ENC_CONFIG_KEY_MAX];
    if (name->type != YAML_SCALAR_NODE) {
        refuse_node(reader, name, group, "a key must be a name");
        return;
    }
    const char *text = (const char *)name->data.scalar.value;
    if (strlen(text) != name->data.scalar.length) {
        refuse_node(reader, name, group, "a key must not contain a NUL");
        return;
    }
    int len = snprintf(key, sizeof key, "%s%s%s", group, *group ? "." : "", text);
    const struct enc_config_row *row = enc_config_row_of_key(key);
    if (row && len < (int)sizeof key)
        read_row(reader, row, value);
    else if (is_group(key) && len < (int)sizeof key)
        read_mapping(reader, value, key);
    else
        refuse_node(reader, name, key, "unknown key");
}

/* Groups nest as deep as the keys have dots, so the recursion ends there. */
static void read_mapping(struct reader *reader, const yaml_node_t *node, const char *group)
{
    if (node->type != YAML_MAPPING_NODE) {
        refuse_node(reader, node, group, "must be a mapping of keys");
        return;
    }
    const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
    for (; pair < node->data.mapping.pairs.top; pair++)
        read_pair(reader, group, pair);
}

/* The next document of the stream. False when it is not YAML, or when there is none. */
static bool load(struct reader *reader, yaml_parser_t *parser)
{
    if (!yaml_parser_load(parser, &reader->document)) {
        refuse(reader, parser->problem_mark.line, "",
               parser->problem ? parser->problem : "not readable");
        return false;
    }
    if (yaml_document_get_root_node(&reader->document))
        return true;
    yaml_document_delete(&reader->document);
    return false;
}

static void read_documents(struct reader *reader, yaml_parser_t *parser)
{
    if (!load(reader, parser))
        return;
    read_mapping(reader, yaml_document_get_root_node(&reader->document), "");
    yaml_document_delete(&reader->document);
    if (!load(reader, parser))
        return;
    refuse_node(reader, yaml_document_get_root_node(&reader->document), "",
                "a second document in the file");
    yaml_document_delete(&reader->document);
}

static void read_stream(struct reader *reader, FILE *file)
{
    yaml_parser_t parser;
    ENC_CHECK(yaml_parser_initialize(&parser) == 1);
    yaml_parser_set_input_file(&parser, file);
    read_documents(reader, &parser);
    yaml_parser_delete(&parser);
}

void enc_config_read_file(struct enc_config *config, struct enc_config_fault *fault,
                          const char *path)
{
    struct reader reader = {.config = config, .fault = fault, .path = path};
    FILE *file = fopen(path, "re");
    config->path = path;
    if (!file) {
        enc_config_blame(fault, path, "", strerror(errno));
        return;
    }
    read_stream(&reader, file);
    fclose(file);
}
