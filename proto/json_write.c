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

void enc_json_put_text(struct enc_buffer *buffer, struct enc_bytes utf8)
{
    put_byte(buffer, '"');
    size_t done = 0;
    for (size_t i = 0; i < utf8.len; i++) {
        if (!needs_escape(utf8.data[i]))
            continue;
        enc_buffer_add(buffer, enc_bytes_of(utf8.data + done, i - done));
        put_escape(buffer, utf8.data[i]);
        done = i + 1;
    }
    if (done < utf8.len)
        enc_buffer_add(buffer, enc_bytes_of(utf8.data + done, utf8.len - done));
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

void enc_json_comma(struct enc_buffer *buffer)
{
    if (buffer->len == 0 || strchr("{[:,", buffer->data[buffer->len - 1]))
        return;
    put_byte(buffer, ',');
}

void enc_json_member(struct enc_buffer *buffer, const char *name)
{
    enc_json_comma(buffer);
    put_byte(buffer, '"');
    enc_json_put_raw(buffer, name);
    enc_json_put_raw(buffer, "\":");
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
