#include "net/coding.h"

#include <brotli/encode.h>
#include <stdlib.h>
#include <strings.h>
#include <zlib.h>

enum {
    BROTLI_LEVEL = 4,
    BROTLI_WINDOW = 18,
    GZIP_LEVEL = 5,
    GZIP_WINDOW = 15 + 16,
    GZIP_MEMORY = 8
};

struct row {
    const char *name;
    uint8_t *(*write)(size_t *len, struct enc_bytes body);
};

static uint8_t *write_gzip(size_t *len, struct enc_bytes body)
{
    z_stream stream = {.zalloc = Z_NULL};
    uint8_t *out = malloc(body.len);
    if (!out || deflateInit2(&stream, GZIP_LEVEL, Z_DEFLATED, GZIP_WINDOW, GZIP_MEMORY,
                             Z_DEFAULT_STRATEGY) != Z_OK) {
        free(out);
        return NULL;
    }
    stream.next_in = (uint8_t *)(uintptr_t)body.data;
    stream.avail_in = (uInt)body.len;
    stream.next_out = out;
    stream.avail_out = (uInt)body.len;
    bool fits = deflate(&stream, Z_FINISH) == Z_STREAM_END;
    *len = stream.total_out;
    deflateEnd(&stream);
    if (fits)
        return out;
    free(out);
    return NULL;
}

static uint8_t *write_brotli(size_t *len, struct enc_bytes body)
{
    uint8_t *out = malloc(body.len);
    *len = body.len;
    if (out && BrotliEncoderCompress(BROTLI_LEVEL, BROTLI_WINDOW, BROTLI_MODE_TEXT, body.len,
                                     body.data, len, out))
        return out;
    free(out);
    return NULL;
}

static const struct row ROWS[] = {
    [ENC_CODING_NONE] = {NULL, NULL},
    [ENC_CODING_GZIP] = {"gzip", write_gzip},
    [ENC_CODING_BROTLI] = {"br", write_brotli},
};
enum { CODINGS = sizeof ROWS / sizeof *ROWS };

static struct enc_bytes trim(struct enc_bytes text)
{
    while (text.len > 0 && text.data[0] == ' ')
        text = enc_bytes_of(text.data + 1, text.len - 1);
    while (text.len > 0 && text.data[text.len - 1] == ' ')
        text.len--;
    return text;
}

static bool is_word(struct enc_bytes text, const char *word)
{
    return text.len == strlen(word) && strncasecmp((const char *)text.data, word, text.len) == 0;
}

/* "q=0", "q=0.0", "q=0.000": not that. */
static bool is_refused(struct enc_bytes weight)
{
    weight = trim(weight);
    if (weight.len < 3 || !is_word(enc_bytes_of(weight.data, 3), "q=0"))
        return false;
    for (size_t i = 3; i < weight.len; i++) {
        if (weight.data[i] != '.' && weight.data[i] != '0')
            return false;
    }
    return true;
}

static enum enc_coding coding_of(struct enc_bytes name)
{
    for (unsigned i = ENC_CODING_GZIP; i < CODINGS; i++) {
        if (is_word(name, ROWS[i].name))
            return (enum enc_coding)i;
    }
    return is_word(name, "*") ? ENC_CODING_GZIP : ENC_CODING_NONE;
}

enum enc_coding enc_coding_of_field(struct enc_bytes field)
{
    enum enc_coding best = ENC_CODING_NONE;
    while (field.len > 0) {
        struct enc_bytes weight = enc_bytes_cut(&field, ',');
        enum enc_coding coding = coding_of(trim(enc_bytes_cut(&weight, ';')));
        if (coding > best && !is_refused(weight))
            best = coding;
    }
    return best;
}

const char *enc_coding_name(enum enc_coding coding)
{
    return ROWS[coding].name;
}

uint8_t *enc_coding_write(size_t *len, enum enc_coding coding, struct enc_bytes body)
{
    ENC_CHECK(coding != ENC_CODING_NONE && body.len > 0 && body.len < UINT32_MAX);
    return ROWS[coding].write(len, body);
}
