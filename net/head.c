#include "net/head.h"

#include <ctype.h>
#include <strings.h>

struct counts {
    unsigned host, content_length, transfer_encoding;
    bool is_http11;
};

static bool is_named(struct enc_bytes name, const char *text)
{
    return name.len == strlen(text) && strncasecmp((const char *)name.data, text, name.len) == 0;
}

static bool is_token_byte(uint8_t byte)
{
    return isalnum(byte) || (byte && strchr("!#$%&'*+-.^_`|~", byte));
}

static bool is_token(struct enc_bytes name)
{
    for (size_t i = 0; i < name.len; i++) {
        if (!is_token_byte(name.data[i]))
            return false;
    }
    return name.len > 0;
}

static struct enc_bytes trimmed(struct enc_bytes value)
{
    while (value.len > 0 && (value.data[0] == ' ' || value.data[0] == '\t'))
        value = enc_bytes_of(value.data + 1, value.len - 1);
    while (value.len > 0 && (value.data[value.len - 1] == ' ' || value.data[value.len - 1] == '\t'))
        value.len--;
    return value;
}

static bool is_digits(struct enc_bytes value)
{
    for (size_t i = 0; i < value.len; i++) {
        if (!isdigit(value.data[i]))
            return false;
    }
    return value.len > 0 && value.len <= 19;
}

static const char *count_field(struct counts *counts, struct enc_bytes name, struct enc_bytes value)
{
    if (is_named(name, "host"))
        return ++counts->host > 1 ? "more than one Host" : NULL;
    if (is_named(name, "content-length")) {
        if (++counts->content_length > 1)
            return "more than one Content-Length";
        return is_digits(value) ? NULL : "Content-Length is not a number";
    }
    if (is_named(name, "transfer-encoding")) {
        if (++counts->transfer_encoding > 1)
            return "more than one Transfer-Encoding";
        return is_named(value, "chunked") ? NULL : "Transfer-Encoding is not chunked";
    }
    return NULL;
}

static const char *check_field(struct counts *counts, struct enc_bytes line)
{
    if (line.data[0] == ' ' || line.data[0] == '\t')
        return "a folded header line";
    const uint8_t *colon = memchr(line.data, ':', line.len);
    if (!colon)
        return "a header line without a colon";
    struct enc_bytes name = enc_bytes_of(line.data, (size_t)(colon - line.data));
    if (!is_token(name))
        return "a header name that is no token";
    struct enc_bytes value = enc_bytes_of(colon + 1, line.len - name.len - 1);
    return count_field(counts, name, trimmed(value));
}

/* A request line ends in its version. */
static void read_version(struct counts *counts, struct enc_bytes line)
{
    counts->is_http11 = line.len > 8 && memcmp(line.data + line.len - 8, "HTTP/1.1", 8) == 0;
}

static const char *check_counts(const struct counts *counts)
{
    if (counts->content_length && counts->transfer_encoding)
        return "Content-Length beside Transfer-Encoding";
    return counts->is_http11 && counts->host == 0 ? "no Host" : NULL;
}

/* The next line without its end; NULL data when there is none, or when it ends in a bare LF. */
static struct enc_bytes take_line(struct enc_bytes *rest)
{
    const uint8_t *end = rest->len ? memchr(rest->data, '\n', rest->len) : NULL;
    if (!end || end == rest->data || end[-1] != '\r')
        return (struct enc_bytes){NULL, 0};
    struct enc_bytes line = enc_bytes_of(rest->data, (size_t)(end - rest->data) - 1);
    *rest = enc_bytes_of(end + 1, rest->len - line.len - 2);
    return line;
}

static const char *check_lines(struct enc_bytes *rest)
{
    struct counts counts = {0};
    struct enc_bytes line = take_line(rest);
    if (line.data && line.len == 0)
        line = take_line(rest); /* one empty line before a request is allowed, RFC 9112 2.2 */
    read_version(&counts, line);
    const char *fault = NULL;
    while (!fault && line.data) {
        line = take_line(rest);
        if (line.data && line.len == 0)
            return check_counts(&counts);
        if (line.data)
            fault = check_field(&counts, line);
    }
    return fault ? fault : "a line that does not end in CRLF";
}

struct enc_head enc_head_check(struct enc_bytes raw)
{
    struct enc_bytes rest = raw;
    struct enc_head head = {.fault = check_lines(&rest)};
    head.len = raw.len - rest.len;
    return head;
}
