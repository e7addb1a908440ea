#include "net/deflate.h"

#include "net/loop.h"
#include "net/metric.h"

#include <stdlib.h>
#include <zlib.h>

enum {
    LEVEL = 5,
    WINDOW_BITS_MIN = 9, /* of zlib; a message that is no longer than 256 bytes needs no more */
    LOOKAHEAD = 262,     /* so many bytes of its window zlib does not refer to */
    MEMORY_MIN = 4,
    MEMORY_MAX = 8,
    OUT_LEN_MIN = 4096,
    OUT_KEPT_MAX = 65536,
};

/* RFC 7692 7.2.1: every sync flush ends with it, so it is not sent. */
static const uint8_t TAIL4[4] = {0x00, 0x00, 0xff, 0xff};

void enc_deflate_stored_head(uint8_t out5[ENC_DEFLATE_STORED_LEN], uint16_t len)
{
    out5[0] = 0; /* not the last, stored */
    out5[1] = (uint8_t)len;
    out5[2] = (uint8_t)(len >> 8);
    out5[3] = (uint8_t)~out5[1];
    out5[4] = (uint8_t)~out5[2];
}

/* ---- out ---- */

static int window_bits_of(size_t len)
{
    int bits = WINDOW_BITS_MIN;
    while (bits < ENC_DEFLATE_BITS_MAX && (size_t)1 << bits < len + LOOKAHEAD)
        bits++;
    return bits;
}

/* Tables as large as the message is worth: clearing them is most of the work for a short one. */
static bool init_stream(z_stream *stream, size_t len)
{
    int bits = window_bits_of(len);
    int memory = bits - 6;
    memory = memory < MEMORY_MIN ? MEMORY_MIN : memory > MEMORY_MAX ? MEMORY_MAX : memory;
    *stream = (z_stream){.zalloc = Z_NULL};
    return deflateInit2(stream, LEVEL, Z_DEFLATED, -bits, memory, Z_DEFAULT_STRATEGY) == Z_OK;
}

/* Returns the length without the tail, 0 when it does not fit into room. */
static size_t write_blocks(uint8_t *out, size_t room, struct enc_bytes body)
{
    z_stream stream;
    if (!init_stream(&stream, body.len))
        return 0;
    stream.next_in = (uint8_t *)(uintptr_t)body.data;
    stream.avail_in = (uInt)body.len;
    stream.next_out = out;
    stream.avail_out = (uInt)room;
    bool fits = deflate(&stream, Z_SYNC_FLUSH) == Z_OK && stream.avail_out > 0;
    size_t len = stream.total_out;
    deflateEnd(&stream);
    return fits ? len - sizeof TAIL4 : 0;
}

/* An empty frame stands for what did not become smaller, so that nobody tries again. */
static struct enc_frame *make_twin(struct enc_bytes body)
{
    if (body.len <= ENC_DEFLATE_STORED_LEN || body.len > UINT32_MAX)
        return enc_frame_new((struct enc_bytes){NULL, 0});
    size_t room = body.len - ENC_DEFLATE_STORED_LEN + sizeof TAIL4;
    uint8_t *out = malloc(room);
    size_t len = out ? write_blocks(out, room, body) : 0;
    struct enc_frame *twin = enc_frame_new(enc_bytes_of(out, len));
    free(out);
    enc_metric_add(ENC_METRIC_DEFLATIONS, 1);
    return twin;
}

struct enc_frame *enc_deflate_twin(struct enc_frame *frame)
{
    struct enc_frame *twin = enc_frame_twin(frame);
    if (!twin) {
        twin = make_twin(enc_frame_bytes(frame));
        if (!twin)
            return NULL;
        twin = enc_frame_twin_set(frame, twin);
    }
    return enc_frame_bytes(twin).len > 0 ? twin : NULL;
}

/* ---- in ---- */

struct enc_inflater {
    z_stream stream;
    uint8_t *out;
    size_t cap;
    size_t len_max;
};

struct enc_inflater *enc_inflater_new(void)
{
    struct enc_inflater *inflater = enc_net_new(sizeof *inflater);
    ENC_CHECK(inflateInit2(&inflater->stream, -ENC_DEFLATE_BITS_MAX) == Z_OK);
    return inflater;
}

void enc_inflater_free(struct enc_inflater *inflater)
{
    if (!inflater)
        return;
    inflateEnd(&inflater->stream);
    free(inflater->out);
    free(inflater);
}

void enc_inflater_rest(struct enc_inflater *inflater)
{
    if (inflater->cap <= OUT_KEPT_MAX)
        return;
    free(inflater->out);
    inflater->out = NULL;
    inflater->cap = 0;
}

static size_t out_len(const struct enc_inflater *inflater)
{
    return inflater->cap - inflater->stream.avail_out;
}

/* One byte more than the longest message fits in, never two. */
static bool grow(struct enc_inflater *inflater)
{
    size_t len = out_len(inflater);
    if (len > inflater->len_max)
        return false;
    size_t cap = inflater->cap < OUT_LEN_MIN ? OUT_LEN_MIN : inflater->cap * 2;
    cap = cap < inflater->len_max ? cap : inflater->len_max + 1;
    inflater->out = realloc(inflater->out, cap);
    ENC_CHECK(inflater->out != NULL);
    inflater->cap = cap;
    inflater->stream.next_out = inflater->out + len;
    inflater->stream.avail_out = (uInt)(cap - len);
    return true;
}

/* RFC 7692 7.2.3.4: a block may say it is the last and be followed by others all the same. */
static enum enc_inflated read_part(struct enc_inflater *inflater, struct enc_bytes part)
{
    z_stream *stream = &inflater->stream;
    stream->next_in = (uint8_t *)(uintptr_t)part.data;
    stream->avail_in = (uInt)part.len;
    while (stream->avail_in > 0 || stream->avail_out == 0) {
        if (stream->avail_out == 0 && !grow(inflater))
            return ENC_INFLATED_TOO_LARGE;
        int got = inflate(stream, Z_SYNC_FLUSH);
        if (got == Z_STREAM_END && stream->avail_in > 0)
            got = inflateReset(stream);
        else if (got == Z_STREAM_END || got == Z_BUF_ERROR)
            break;
        if (got != Z_OK)
            return ENC_INFLATED_WRONG;
    }
    return ENC_INFLATED_WHOLE;
}

/* Whether the last block is complete, by what zlib tells in data_type. */
static bool is_between_blocks(const z_stream *stream)
{
    return stream->data_type & 128;
}

static void begin(struct enc_inflater *inflater, size_t len_max)
{
    ENC_CHECK(inflateReset2(&inflater->stream, -ENC_DEFLATE_BITS_MAX) == Z_OK);
    if (inflater->cap > len_max + 1) {
        free(inflater->out);
        inflater->out = NULL;
        inflater->cap = 0;
    }
    inflater->len_max = len_max;
    inflater->stream.next_out = inflater->out;
    inflater->stream.avail_out = (uInt)inflater->cap;
}

enum enc_inflated enc_inflate(struct enc_inflater *inflater, struct enc_bytes *out,
                              struct enc_bytes coded, size_t len_max)
{
    ENC_CHECK(len_max < UINT32_MAX && coded.len < UINT32_MAX);
    begin(inflater, len_max);
    enum enc_inflated how = read_part(inflater, coded);
    if (how == ENC_INFLATED_WHOLE)
        how = read_part(inflater, enc_bytes_of(TAIL4, sizeof TAIL4));
    *out = enc_bytes_of(inflater->out, out_len(inflater));
    if (how == ENC_INFLATED_WHOLE && out->len > len_max)
        return ENC_INFLATED_TOO_LARGE;
    return how == ENC_INFLATED_WHOLE && !is_between_blocks(&inflater->stream) ? ENC_INFLATED_WRONG
                                                                              : how;
}
