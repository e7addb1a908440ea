#include "proto/fold.h"

#include <utf8proc.h>

enum { POINTS_MAX = 4, POINT_LEN_MAX = 4 };

size_t enc_text_count(struct enc_bytes utf8)
{
    size_t count = 0;
    for (size_t i = 0; i < utf8.len; i++)
        count += (utf8.data[i] & 0xc0) != 0x80;
    return count;
}

static size_t ascii_len(const uint8_t *data, size_t len)
{
    size_t at = 0;
    while (at < len && data[at] < 0x80)
        at++;
    return at;
}

static uint8_t lower(uint8_t ascii)
{
    return (uint8_t)(ascii | (ascii >= 'A' && ascii <= 'Z') << 5);
}

static size_t put_ascii(struct enc_buffer *buffer, const uint8_t *data, size_t len)
{
    size_t run_len = ascii_len(data, len);
    uint8_t *at = run_len ? enc_buffer_extend(buffer, run_len) : NULL;
    for (size_t i = 0; at && i < run_len; i++)
        at[i] = lower(data[i]);
    return run_len;
}

/* The length of the code point at data; 0 when there is none. */
static size_t put_point(struct enc_buffer *buffer, const uint8_t *data, size_t len)
{
    utf8proc_int32_t point, folded[POINTS_MAX];
    uint8_t utf8[POINT_LEN_MAX];
    utf8proc_ssize_t point_len = utf8proc_iterate(data, (utf8proc_ssize_t)len, &point);
    if (point_len <= 0)
        return 0;
    utf8proc_ssize_t count =
        utf8proc_decompose_char(point, folded, POINTS_MAX, UTF8PROC_CASEFOLD, NULL);
    ENC_CHECK(count > 0 && count <= POINTS_MAX);
    for (utf8proc_ssize_t i = 0; i < count; i++)
        enc_buffer_add(buffer, enc_bytes_of(utf8, (size_t)utf8proc_encode_char(folded[i], utf8)));
    return (size_t)point_len;
}

/* Text seldom grows when it is folded: one step of the buffer is enough. */
static void reserve(struct enc_buffer *buffer, size_t len)
{
    if (len && enc_buffer_extend(buffer, len))
        buffer->len -= len;
}

enum enc_err enc_fold(struct enc_bytes *out, struct enc_arena *arena, struct enc_bytes utf8)
{
    struct enc_buffer buffer;
    enc_buffer_init(&buffer, arena, ENC_FOLD_GROWTH_MAX * utf8.len);
    reserve(&buffer, utf8.len);
    for (size_t at = 0; at < utf8.len;) {
        at += put_ascii(&buffer, utf8.data + at, utf8.len - at);
        if (at == utf8.len)
            break;
        size_t len = put_point(&buffer, utf8.data + at, utf8.len - at);
        if (len == 0)
            return ENC_ERR_INVALID_REQUEST;
        at += len;
    }
    return enc_buffer_bytes(&buffer, out);
}

bool enc_fold_contains(struct enc_bytes folded_text, struct enc_bytes folded_query)
{
    if (folded_query.len == 0)
        return true;
    return folded_text.len >= folded_query.len &&
           memmem(folded_text.data, folded_text.len, folded_query.data, folded_query.len) != NULL;
}
