#include "net/encctl/heads.h"

#include "net/encctl/out.h"
#include "proto/json.h"
#include "proto/proof_json.h"

#include <stdlib.h>

struct line {
    uint8_t enclave32[32];
    struct enc_sth head;
};

static int by_size(const void *a, const void *b)
{
    const struct enc_sth *one = (const struct enc_sth *)a;
    const struct enc_sth *two = (const struct enc_sth *)b;
    return (one->ts > two->ts) - (one->ts < two->ts);
}

void enc_heads_sort(struct enc_sth *heads, size_t count)
{
    qsort(heads, count, sizeof *heads, by_size);
}

bool enc_seen_line(uint8_t enclave32[32], struct enc_sth *head, struct enc_arena *arena,
                   struct enc_bytes line)
{
    struct enc_json *json = NULL;
    struct enc_json_facts facts;
    return enc_json_parse(&json, arena, line, &facts) == ENC_ERR_OK &&
           enc_json_hex(enc_json_get(json, "enclave"), enclave32, 32) &&
           enc_sth_take(head, json) == ENC_ERR_OK;
}

static int by_enclave(const void *a, const void *b)
{
    const struct line *one = (const struct line *)a;
    const struct line *two = (const struct line *)b;
    int order = memcmp(one->enclave32, two->enclave32, 32);
    return order ? order : by_size(&one->head, &two->head);
}

static bool take_lines(struct enc_ctl *ctl, struct line *lines, size_t *count,
                       struct enc_bytes text)
{
    while (text.len > 0) {
        const uint8_t *end = (const uint8_t *)memchr(text.data, '\n', text.len);
        size_t len = end ? (size_t)(end - text.data) : text.len;
        size_t step = end ? len + 1 : len;
        struct line *line = &lines[*count];
        if (len &&
            !enc_seen_line(line->enclave32, &line->head, &ctl->arena, enc_bytes_of(text.data, len)))
            return false;
        *count += len > 0;
        text = enc_bytes_of(text.data + step, text.len - step);
    }
    return true;
}

static size_t keep_signed(const struct enc_ctl *ctl, struct line *lines, size_t count,
                          const uint8_t node_pub32[32])
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (enc_sth_verify(ctl->curve, &lines[i].head, node_pub32))
            lines[kept++] = lines[i];
    if (kept < count)
        enc_out_note("%zu of %zu tree heads were not signed by this node", count - kept, count);
    return kept;
}

static struct enc_seen *group(struct enc_ctl *ctl, const struct line *lines, size_t count)
{
    struct enc_seen *list = NULL;
    struct enc_sth *heads = ENC_ARENA_NEW(&ctl->arena, struct enc_sth, count + 1);
    ENC_CHECK(heads != NULL);
    for (size_t i = 0; i < count; i++) {
        heads[i] = lines[i].head;
        if (!list || memcmp(list->enclave32, lines[i].enclave32, 32) != 0) {
            struct enc_seen *seen = ENC_ARENA_NEW(&ctl->arena, struct enc_seen, 1);
            ENC_CHECK(seen != NULL);
            *seen = (struct enc_seen){.next = list, .heads = &heads[i]};
            memcpy(seen->enclave32, lines[i].enclave32, 32);
            list = seen;
        }
        list->head_count++;
    }
    return list;
}

bool enc_seen_read(struct enc_seen **list, struct enc_ctl *ctl, const char *path,
                   const uint8_t node_pub32[32])
{
    struct enc_bytes text;
    size_t count = 0;
    if (!enc_ctl_read_file(ctl, &text, path))
        return false;
    for (size_t i = 0; i < text.len; i++)
        count += text.data[i] == '\n';
    struct line *lines = ENC_ARENA_NEW(&ctl->arena, struct line, count + 1);
    ENC_CHECK(lines != NULL);
    count = 0;
    if (!take_lines(ctl, lines, &count, text)) {
        enc_out_fault("%s: line %zu is no tree head", path, count + 1);
        return false;
    }
    count = keep_signed(ctl, lines, count, node_pub32);
    qsort(lines, count, sizeof *lines, by_enclave);
    *list = group(ctl, lines, count);
    return true;
}
