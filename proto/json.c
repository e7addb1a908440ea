#include "proto/json.h"

#include "proto/utf8.h"

#include "proto/base/hex.h"

struct parser {
    const uint8_t *at;
    const uint8_t *end;
    struct enc_arena *arena;
    struct enc_json_facts *facts;
    unsigned depth;
};

static const enum enc_err BAD = ENC_ERR_INVALID_REQUEST;

static bool take(struct parser *p, uint8_t wanted)
{
    if (p->at == p->end || *p->at != wanted)
        return false;
    p->at++;
    return true;
}

static void skip_blanks(struct parser *p)
{
    while (p->at < p->end && (*p->at == ' ' || *p->at == '\n' || *p->at == '\r' || *p->at == '\t'))
        p->at++;
}

static struct enc_bytes since(const struct parser *p, const uint8_t *start)
{
    return enc_bytes_of(start, (size_t)(p->at - start));
}

/* ---- strings ---- */

static bool is_plain(uint8_t byte)
{
    return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
}

/* Whether all of eight bytes are plain. A subtraction sets the high bit of a byte that was too
 * small; its borrow may also spoil the next byte, but then the word is caught anyway. */
static bool are_plain(const uint8_t *at8)
{
    const uint64_t ones = UINT64_MAX / 255;
    uint64_t word;
    memcpy(&word, at8, sizeof word);
    uint64_t quote = (word ^ ones * '"') - ones;
    uint64_t backslash = (word ^ ones * '\\') - ones;
    uint64_t control = word - ones * 0x20;
    return ((word | quote | backslash | control) & ones * 0x80) == 0;
}

static void skip_plain(struct parser *p)
{
    while (p->end - p->at >= 8 && are_plain(p->at))
        p->at += 8;
    while (p->at < p->end && is_plain(*p->at))
        p->at++;
}

/* Moves to the next quote or backslash. */
static enum enc_err skip_run(struct parser *p)
{
    while (true) {
        skip_plain(p);
        if (p->at == p->end || *p->at < 0x20)
            return BAD;
        if (*p->at < 0x80)
            return ENC_ERR_OK;
        size_t len = enc_utf8_len(p->at, p->end);
        if (len == 0)
            return BAD;
        p->at += len;
    }
}

/* Writes the sequence of a code point, of a lone surrogate too; returns its end. */
static uint8_t *put_utf8(uint8_t *to, uint32_t point)
{
    if (point < 0x80) {
        *to++ = (uint8_t)point;
        return to;
    }
    unsigned more = point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
    static const uint8_t LEAD[] = {0, 0xc0, 0xe0, 0xf0};
    *to++ = (uint8_t)(LEAD[more] | point >> (6 * more));
    while (more-- > 0)
        *to++ = (uint8_t)(0x80 | (point >> (6 * more) & 0x3f));
    return to;
}

static bool take_unit(struct parser *p, uint32_t *unit)
{
    uint8_t raw[2];
    if (p->end - p->at < 4 || !enc_hex_decode(raw, 2, enc_bytes_of(p->at, 4)))
        return false;
    p->at += 4;
    *unit = (uint32_t)raw[0] << 8 | raw[1];
    return true;
}

/* After a high surrogate: takes the low one that may follow, else leaves the text where it is. */
static bool take_low(struct parser *p, uint32_t *low)
{
    const uint8_t *start = p->at;
    if (take(p, '\\') && take(p, 'u') && take_unit(p, low) && *low >= 0xdc00 && *low <= 0xdfff)
        return true;
    p->at = start;
    return false;
}

/* Behind "\u". */
static enum enc_err take_point(struct parser *p, uint32_t *point, bool *is_lone)
{
    uint32_t low;
    if (!take_unit(p, point))
        return BAD;
    if (*point < 0xd800 || *point > 0xdfff)
        return ENC_ERR_OK;
    if (*point < 0xdc00 && take_low(p, &low))
        *point = 0x10000 + ((*point - 0xd800) << 10 | (low - 0xdc00));
    else
        *is_lone = p->facts->has_lone_surrogate = true;
    return ENC_ERR_OK;
}

/* Behind the backslash. */
static enum enc_err take_escape(struct parser *p, uint8_t **to, bool *is_lone)
{
    static const char LETTERS[] = "\"\\/bfnrtu";
    static const char MEANINGS[] = "\"\\/\b\f\n\r\t";
    const char *letter = p->at < p->end && *p->at ? strchr(LETTERS, *p->at) : NULL;
    if (!letter)
        return BAD;
    p->at++;
    uint32_t point = (uint8_t)MEANINGS[letter - LETTERS];
    if (*letter == 'u')
        ENC_TRY(take_point(p, &point, is_lone));
    *to = put_utf8(*to, point);
    return ENC_ERR_OK;
}

/* An upper bound of the bytes up to the closing quote, escapes undone or not. */
static size_t escaped_len(const struct parser *p, const uint8_t *start)
{
    const uint8_t *at = p->at;
    while (p->end - at >= 2 && *at != '"')
        at += *at == '\\' ? 2 : 1;
    return (size_t)(at - start);
}

/* A string from start whose first escape is at p->at. Undoing an escape never makes it longer. */
static enum enc_err undo_escapes(struct parser *p, struct enc_bytes *out, bool *is_lone,
                                 const uint8_t *start)
{
    uint8_t *data = (uint8_t *)enc_arena_take(p->arena, escaped_len(p, start));
    if (!data)
        return ENC_ERR_TOO_LARGE;
    uint8_t *to = data;
    for (struct enc_bytes run = since(p, start);; run = since(p, start)) {
        memcpy(to, run.data, run.len);
        to += run.len;
        if (*p->at++ == '"')
            break;
        ENC_TRY(take_escape(p, &to, is_lone));
        start = p->at;
        ENC_TRY(skip_run(p));
    }
    *out = enc_bytes_of(data, (size_t)(to - data));
    return ENC_ERR_OK;
}

static enum enc_err parse_string(struct parser *p, struct enc_bytes *out, bool *is_lone)
{
    if (!take(p, '"'))
        return BAD;
    const uint8_t *start = p->at;
    ENC_TRY(skip_run(p));
    if (*p->at == '\\')
        return undo_escapes(p, out, is_lone, start);
    *out = since(p, start);
    p->at++;
    return ENC_ERR_OK;
}

/* ---- numbers and literals ---- */

static bool take_digits(struct parser *p)
{
    const uint8_t *start = p->at;
    while (p->at < p->end && *p->at >= '0' && *p->at <= '9')
        p->at++;
    return p->at > start;
}

static bool take_number(struct parser *p)
{
    take(p, '-');
    if (!take(p, '0') && !take_digits(p))
        return false;
    if (take(p, '.') && !take_digits(p))
        return false;
    if (!take(p, 'e') && !take(p, 'E'))
        return true;
    if (!take(p, '+'))
        take(p, '-');
    return take_digits(p);
}

static bool take_word(struct parser *p, struct enc_bytes word)
{
    if ((size_t)(p->end - p->at) < word.len || memcmp(p->at, word.data, word.len) != 0)
        return false;
    p->at += word.len;
    return true;
}

static enum enc_err parse_scalar(struct parser *p, struct enc_json *out)
{
    if (take_word(p, ENC_LIT("true")))
        out->kind = ENC_JSON_TRUE;
    else if (take_word(p, ENC_LIT("false")))
        out->kind = ENC_JSON_FALSE;
    else if (take_word(p, ENC_LIT("null")))
        out->kind = ENC_JSON_NULL;
    else if (take_number(p))
        out->kind = ENC_JSON_NUMBER;
    else
        return BAD;
    return ENC_ERR_OK;
}

/* ---- names of an object ---- */

static int order_of(struct enc_bytes a, struct enc_bytes b)
{
    if (a.len != b.len)
        return a.len < b.len ? -1 : 1;
    return a.len ? memcmp(a.data, b.data, a.len) : 0;
}

static void sift_down(struct enc_bytes *heap, size_t root, size_t count)
{
    for (size_t child = 2 * root + 1; child < count; child = 2 * root + 1) {
        if (child + 1 < count && order_of(heap[child], heap[child + 1]) < 0)
            child++;
        if (order_of(heap[root], heap[child]) >= 0)
            return;
        struct enc_bytes swap = heap[root];
        heap[root] = heap[child];
        heap[child] = swap;
        root = child;
    }
}

/* Heapsort: no recursion, no memory, and no input on which it is slow. */
static void sort(struct enc_bytes *names, size_t count)
{
    for (size_t i = count / 2; i-- > 0;)
        sift_down(names, i, count);
    for (size_t i = count; i-- > 1;) {
        struct enc_bytes swap = names[0];
        names[0] = names[i];
        names[i] = swap;
        sift_down(names, 0, i);
    }
}

static enum enc_err check_many_names(const struct parser *p, const struct enc_json *object)
{
    struct enc_bytes *names = ENC_ARENA_NEW(p->arena, struct enc_bytes, object->count);
    if (!names)
        return ENC_ERR_TOO_LARGE;
    size_t count = 0;
    for (const struct enc_json *member = object->child; member; member = member->next)
        names[count++] = member->key;
    sort(names, count);
    for (size_t i = 1; i < count; i++)
        if (enc_bytes_equal(names[i - 1], names[i]))
            return BAD;
    return ENC_ERR_OK;
}

static enum enc_err check_names(const struct parser *p, const struct enc_json *object)
{
    if (object->count > 16)
        return check_many_names(p, object);
    for (const struct enc_json *a = object->child; a; a = a->next)
        for (const struct enc_json *b = a->next; b; b = b->next)
            if (enc_bytes_equal(a->key, b->key))
                return BAD;
    return ENC_ERR_OK;
}

/* ---- values ---- */

static enum enc_err parse_value(struct parser *p, struct enc_json *out);

static enum enc_err parse_name(struct parser *p, struct enc_json *member)
{
    bool is_lone;
    ENC_TRY(parse_string(p, &member->key, &is_lone));
    skip_blanks(p);
    if (!take(p, ':'))
        return BAD;
    skip_blanks(p);
    return ENC_ERR_OK;
}

static enum enc_err parse_item(struct parser *p, struct enc_json **link, enum enc_json_kind parent)
{
    struct enc_json *item = ENC_ARENA_NEW(p->arena, struct enc_json, 1);
    if (!item)
        return ENC_ERR_TOO_LARGE;
    *link = item;
    skip_blanks(p);
    if (parent == ENC_JSON_OBJECT)
        ENC_TRY(parse_name(p, item));
    ENC_TRY(parse_value(p, item));
    skip_blanks(p);
    return ENC_ERR_OK;
}

static enum enc_err parse_items(struct parser *p, struct enc_json *out, uint8_t closing)
{
    struct enc_json **link = &out->child;
    skip_blanks(p);
    if (take(p, closing))
        return ENC_ERR_OK;
    do {
        ENC_TRY(parse_item(p, link, out->kind));
        link = &(*link)->next;
        out->count++;
    } while (take(p, ','));
    return take(p, closing) ? ENC_ERR_OK : BAD;
}

/* Recursion is bounded by ENC_JSON_DEPTH_MAX. */
static enum enc_err parse_container(struct parser *p, struct enc_json *out)
{
    out->kind = *p->at++ == '{' ? ENC_JSON_OBJECT : ENC_JSON_ARRAY;
    if (p->depth == ENC_JSON_DEPTH_MAX)
        return BAD;
    p->depth++;
    ENC_TRY(parse_items(p, out, out->kind == ENC_JSON_OBJECT ? '}' : ']'));
    p->depth--;
    return out->kind == ENC_JSON_OBJECT ? check_names(p, out) : ENC_ERR_OK;
}

static enum enc_err parse_value(struct parser *p, struct enc_json *out)
{
    const uint8_t *start = p->at;
    if (start == p->end)
        return BAD;
    if (*start == '"') {
        out->kind = ENC_JSON_STRING;
        return parse_string(p, &out->text, &out->is_lone);
    }
    ENC_TRY(*start == '{' || *start == '[' ? parse_container(p, out) : parse_scalar(p, out));
    out->text = since(p, start);
    return ENC_ERR_OK;
}

enum enc_err enc_json_parse(struct enc_json **out, struct enc_arena *arena, struct enc_bytes text,
                            struct enc_json_facts *facts)
{
    if (text.len == 0)
        return BAD;
    struct parser p = {text.data, text.data + text.len, arena, facts, 0};
    *facts = (struct enc_json_facts){false};
    ENC_TRY(parse_item(&p, out, ENC_JSON_ARRAY));
    return p.at == p.end ? ENC_ERR_OK : BAD;
}

/* ---- reading the tree ---- */

const struct enc_json *enc_json_get(const struct enc_json *object, const char *name)
{
    if (!object || object->kind != ENC_JSON_OBJECT)
        return NULL;
    const struct enc_json *member = object->child;
    while (member && !enc_bytes_is(member->key, name))
        member = member->next;
    return member;
}

static bool is_kind(const struct enc_json *value, enum enc_json_kind kind)
{
    return value && value->kind == kind;
}

bool enc_json_text(const struct enc_json *value, struct enc_bytes *out)
{
    if (!is_kind(value, ENC_JSON_STRING) || value->is_lone)
        return false;
    *out = value->text;
    return true;
}

bool enc_json_u64(const struct enc_json *value, uint64_t *out)
{
    if (!is_kind(value, ENC_JSON_NUMBER) || value->text.len > 16)
        return false;
    uint64_t number = 0;
    for (size_t i = 0; i < value->text.len; i++) {
        uint8_t digit = (uint8_t)(value->text.data[i] - '0');
        if (digit > 9)
            return false;
        number = number * 10 + digit;
    }
    *out = number;
    return number <= ((uint64_t)1 << 53) - 1;
}

bool enc_json_hex(const struct enc_json *value, uint8_t *out, size_t len)
{
    struct enc_bytes text;
    return enc_json_text(value, &text) && enc_hex_decode(out, len, text);
}

bool enc_json_bool(const struct enc_json *value, bool *out)
{
    *out = is_kind(value, ENC_JSON_TRUE);
    return *out || is_kind(value, ENC_JSON_FALSE);
}
