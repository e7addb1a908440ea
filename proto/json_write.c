#include "proto/base/hex.h"
#include "proto/json.h"

static void put_byte(struct enc_buffer *buffer, char byte)
{
    enc_buffer_add(buffer, enc_bytes_of(&byte, 1));
}

void enc_json_put_raw(struct enc_buffer *buffer, const char *json)
{
    enc_buffer_add(buffer, enc_bytes_of_text(json));
}

static void put_escape(struct enc_buffer *buffer, uint8_t byte)
{
    static const char LETTERS[128] = {['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r',
                                      ['\t'] = 't', ['"'] = '"',  ['\\'] = '\\'};
    char escape[6] = {'\\', LETTERS[byte]};
    if (escape[1]) {
        enc_buffer_add(buffer, enc_bytes_of(escape, 2));
        return;
    }
    memcpy(escape + 1, "u00", 3);
    enc_hex_encode(escape + 4, enc_bytes_of(&byte, 1));
    enc_buffer_add(buffer, enc_bytes_of(escape, 6));
}

static bool needs_escape(uint8_t byte)
{
    return byte < 0x20 || byte == '"' || byte == '\\';
}

static const uint64_t ONES = UINT64_MAX / 255, TOPS = UINT64_MAX / 255 * 128;

/* Non-zero when some byte of the eight is below limit, which is at most 128. */
static uint64_t some_below(uint64_t eight, uint64_t limit)
{
    return (eight - ONES * limit) & ~eight & TOPS;
}

static bool may_need_escape(const uint8_t *at8)
{
    uint64_t eight;
    memcpy(&eight, at8, 8);
    return some_below(eight, 0x20) | some_below(eight ^ ONES * '"', 1) |
           some_below(eight ^ ONES * '\\', 1);
}

/* How many bytes from the first on stand for themselves. */
static size_t plain_len(struct enc_bytes utf8)
{
    size_t i = 0;
    while (i + 8 <= utf8.len && !may_need_escape(utf8.data + i))
        i += 8;
    while (i < utf8.len && !needs_escape(utf8.data[i]))
        i++;
    return i;
}

/* Most texts are plain from end to end. */
void enc_json_put_text(struct enc_buffer *buffer, struct enc_bytes utf8)
{
    put_byte(buffer, '"');
    size_t len = plain_len(utf8);
    enc_buffer_add(buffer, enc_bytes_of(utf8.data, len));
    while (len < utf8.len) {
        put_escape(buffer, utf8.data[len]);
        utf8 = enc_bytes_of(utf8.data + len + 1, utf8.len - len - 1);
        len = plain_len(utf8);
        enc_buffer_add(buffer, enc_bytes_of(utf8.data, len));
    }
    put_byte(buffer, '"');
}

void enc_json_put_hex(struct enc_buffer *buffer, struct enc_bytes bytes)
{
    char *at = (char *)enc_buffer_extend(buffer, 2 * bytes.len + 2);
    if (!at)
        return;
    at[0] = '"';
    enc_hex_encode(at + 1, bytes);
    at[2 * bytes.len + 1] = '"';
}

void enc_json_put_u64(struct enc_buffer *buffer, uint64_t value)
{
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    enc_buffer_add(buffer, enc_bytes_of(digits + at, sizeof digits - at));
}

static bool needs_comma(const struct enc_buffer *buffer)
{
    if (buffer->len == 0)
        return false;
    uint8_t last = buffer->data[buffer->len - 1];
    return last != '{' && last != '[' && last != ':' && last != ',';
}

void enc_json_comma(struct enc_buffer *buffer)
{
    if (needs_comma(buffer))
        put_byte(buffer, ',');
}

void enc_json_member(struct enc_buffer *buffer, const char *name)
{
    size_t len = strlen(name);
    size_t comma_len = needs_comma(buffer);
    uint8_t *at = enc_buffer_extend(buffer, comma_len + len + 3);
    if (!at)
        return;
    if (comma_len)
        *at++ = ',';
    *at = '"';
    memcpy(at + 1, name, len);
    memcpy(at + 1 + len, "\":", 2);
}

void enc_json_member_text(struct enc_buffer *buffer, const char *name, struct enc_bytes utf8)
{
    enc_json_member(buffer, name);
    enc_json_put_text(buffer, utf8);
}

void enc_json_member_hex(struct enc_buffer *buffer, const char *name, struct enc_bytes bytes)
{
    enc_json_member(buffer, name);
    enc_json_put_hex(buffer, bytes);
}

void enc_json_member_u64(struct enc_buffer *buffer, const char *name, uint64_t value)
{
    enc_json_member(buffer, name);
    enc_json_put_u64(buffer, value);
}

void enc_json_member_raw(struct enc_buffer *buffer, const char *name, struct enc_bytes json)
{
    enc_json_member(buffer, name);
    enc_buffer_add(buffer, json);
}
