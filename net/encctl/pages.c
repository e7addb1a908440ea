#include "net/encctl/pages.h"

#include "net/encctl/out.h"

bool enc_pages_filter(struct enc_pages *pages, const char *text)
{
    struct enc_json *json = NULL;
    struct enc_json_facts facts;
    struct enc_bytes bytes = enc_bytes_of_text(text);
    bool is_good = enc_json_parse(&json, &pages->ctl->arena, bytes, &facts) == ENC_ERR_OK &&
                   json->kind == ENC_JSON_OBJECT;
    if (!is_good)
        enc_out_fault("the filter is no JSON object: %s", text);
    pages->filter = json;
    return is_good;
}

static void put_value(struct enc_buffer *out, const struct enc_json *value)
{
    if (value->kind == ENC_JSON_STRING)
        enc_json_put_text(out, value->text);
    else
        enc_buffer_add(out, value->text);
}

static void put_name(struct enc_buffer *out, struct enc_bytes name)
{
    enc_json_comma(out);
    enc_json_put_text(out, name);
    enc_json_put_raw(out, ":");
}

static bool is_reverse(const struct enc_pages *pages)
{
    bool reverse = false;
    return enc_json_bool(enc_json_get(pages->filter, "reverse"), &reverse) && reverse;
}

/* The range of the filter with its near bound moved behind the page (16.52). */
static void put_seq(struct enc_buffer *out, const struct enc_pages *pages)
{
    const char *moved = is_reverse(pages) ? "end_" : "start_";
    const struct enc_json *seq = enc_json_get(pages->filter, "seq");
    bool is_range = seq && seq->kind == ENC_JSON_OBJECT;
    enc_json_member(out, "seq");
    enc_json_put_raw(out, "{");
    for (const struct enc_json *m = is_range ? seq->child : NULL; m; m = m->next) {
        if (m->key.len >= strlen(moved) && memcmp(m->key.data, moved, strlen(moved)) == 0)
            continue;
        put_name(out, m->key);
        put_value(out, m);
    }
    enc_json_member_u64(out, is_reverse(pages) ? "end_before" : "start_after", pages->next);
    enc_json_put_raw(out, "}");
}

void enc_pages_put_filter(struct enc_buffer *out, const struct enc_pages *pages)
{
    enc_json_member(out, "filter");
    enc_json_put_raw(out, "{");
    for (const struct enc_json *m = pages->filter->child; m; m = m->next) {
        if (pages->has_next && enc_bytes_is(m->key, "seq"))
            continue;
        put_name(out, m->key);
        put_value(out, m);
    }
    if (pages->has_next)
        put_seq(out, pages);
    enc_json_put_raw(out, "}");
}

/* Progress is ours to insist on: a node that names the same place again would hold us for ever. */
static bool turn(struct enc_pages *pages, const struct enc_json *content)
{
    uint64_t next = 0;
    bool has_next = enc_json_u64(enc_json_get(content, "next"), &next);
    bool moves = !pages->has_next || (is_reverse(pages) ? next < pages->next : next > pages->next);
    if (has_next && !moves)
        enc_out_fault("the node's pages do not move on");
    pages->has_next = has_next;
    pages->next = next;
    return !has_next || moves;
}

static bool read_page(struct enc_pages *pages, struct enc_arena *arena)
{
    struct enc_buffer members;
    const struct enc_json *content = NULL;
    struct enc_question question = {.type = "Query", .action = "", .enclave32 = pages->enclave32};
    enc_buffer_init(&members, arena, SIZE_MAX / 4);
    enc_pages_put_filter(&members, pages);
    ENC_CHECK(enc_buffer_bytes(&members, &question.members) == ENC_ERR_OK);
    if (!enc_ask(pages->ctl, arena, &content, &question))
        return false;
    const struct enc_json *events = enc_json_get(content, "events");
    if (!events || events->kind != ENC_JSON_ARRAY) {
        enc_out_fault("the answer has no events");
        return false;
    }
    for (const struct enc_json *e = events->child; e; e = e->next)
        if (!pages->element(pages->opaque, e))
            return false;
    return turn(pages, content);
}

bool enc_pages_read(struct enc_pages *pages, bool all)
{
    struct enc_arena arena;
    bool is_good;
    enc_arena_init(&arena, &pages->ctl->chunks, SIZE_MAX / 2);
    do {
        is_good = read_page(pages, &arena);
        enc_arena_fini(&arena);
    } while (is_good && all && pages->has_next);
    return is_good;
}
