#include "tests/fuzz/naive/head.h"

#include <ctype.h>
#include <stdio.h>
#include <strings.h>

enum { LINES_MAX = 4096 };

struct lines {
    size_t count;
    size_t len; /* of all, and their ends */
    bool has_end;
    struct enc_bytes lines[LINES_MAX];
};

/* Lines up to the empty one that ends a head; an empty first one does not count. */
static void split(struct lines *out, struct enc_bytes raw)
{
    size_t start = 0;
    out->count = 0;
    out->has_end = false;
    for (size_t i = 0; i < raw.len && !out->has_end && out->count < LINES_MAX; i++) {
        if (raw.data[i] != '\n')
            continue;
        struct enc_bytes line = enc_bytes_of(raw.data + start, i + 1 - start);
        bool is_empty = line.len == 2 && line.data[0] == '\r';
        if (!is_empty || start > 0)
            out->lines[out->count++] = line;
        out->has_end = is_empty && start > 0 && out->count > 1;
        out->len = start = i + 1;
    }
}

static bool ends_well(struct enc_bytes line)
{
    return line.len >= 2 && line.data[line.len - 2] == '\r';
}

/* The value of a line whose name is this one, without blanks around it. */
static bool has_name(struct enc_bytes line, const char *name, struct enc_bytes *value)
{
    size_t len = strlen(name), end = line.len - 2, start = len + 1;
    if (line.len < len + 3 || line.data[len] != ':' ||
        strncasecmp((const char *)line.data, name, len) != 0)
        return false;
    for (; start < end && strchr(" \t", line.data[start]) && line.data[start];)
        start++;
    for (; end > start && strchr(" \t", line.data[end - 1]) && line.data[end - 1];)
        end--;
    *value = enc_bytes_of(line.data + start, end - start);
    return true;
}

static bool is_field(struct enc_bytes line)
{
    static const char OTHERS[] = "!#$%&'*+-.^_`|~";
    size_t i = 0;
    while (i < line.len && line.data[i] && (isalnum(line.data[i]) || strchr(OTHERS, line.data[i])))
        i++;
    return i > 0 && i < line.len && line.data[i] == ':';
}

static bool is_length(struct enc_bytes value)
{
    for (size_t i = 0; i < value.len; i++)
        if (value.data[i] < '0' || value.data[i] > '9')
            return false;
    return value.len >= 1 && value.len <= 19;
}

static bool is_chunked(struct enc_bytes value)
{
    return value.len == 7 && strncasecmp((const char *)value.data, "chunked", 7) == 0;
}

static bool is_sound(const struct lines *head)
{
    unsigned hosts = 0, lengths = 0, codings = 0;
    struct enc_bytes value, first = head->lines[0];
    bool is_good = ends_well(first);
    for (size_t i = 1; is_good && i + 1 < head->count; i++) {
        struct enc_bytes line = head->lines[i];
        is_good = ends_well(line) && is_field(line);
        if (is_good && has_name(line, "Host", &value))
            hosts++;
        if (is_good && has_name(line, "Content-Length", &value))
            is_good = ++lengths && is_length(value);
        if (is_good && has_name(line, "Transfer-Encoding", &value))
            is_good = ++codings && is_chunked(value);
    }
    bool is_11 = first.len > 10 && memcmp(first.data + first.len - 10, "HTTP/1.1", 8) == 0;
    return is_good && hosts <= 1 && lengths + codings <= 1 && (hosts == 1 || !is_11);
}

struct naive_head naive_head_read(struct enc_bytes raw)
{
    static struct lines head;
    split(&head, raw);
    if (!head.has_end)
        return (struct naive_head){.is_sound = false};
    return (struct naive_head){.is_sound = is_sound(&head), .len = head.len};
}
