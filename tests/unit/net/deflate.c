#include "net/deflate.h"
#include "net/metric.h"
#include "proto/base/bytes.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <zlib.h>

static struct enc_inflater *inflater;
static uint8_t text[100000], noise[100000], coded[400000];

static void init(void)
{
    uint64_t state = 1;
    for (size_t i = 0; i < sizeof noise; i++) {
        state = state * 6364136223846793005U + 1442695040888963407U;
        noise[i] = (uint8_t)(state >> 56);
        text[i] = (uint8_t) "{\"seq\":0123456789}"[(state >> 50) % 18];
    }
    inflater = enc_inflater_new();
}

static void fini(void)
{
    enc_inflater_free(inflater);
}

TestSuite(deflate, .init = init, .fini = fini);

static enum enc_inflated inflate_all(struct enc_bytes *out, struct enc_bytes from, size_t max)
{
    return enc_inflate(inflater, out, from, max);
}

/** Raw deflate of len bytes of data as a message, level 9. */
static struct enc_bytes message_of(const uint8_t *data, size_t len, int flush)
{
    z_stream stream = {.next_in = (uint8_t *)(uintptr_t)data,
                       .avail_in = (uInt)len,
                       .next_out = coded,
                       .avail_out = sizeof coded};
    cr_assert_eq(deflateInit2(&stream, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
    deflate(&stream, flush);
    size_t coded_len = stream.total_out;
    deflateEnd(&stream);
    if (flush == Z_SYNC_FLUSH)
        return enc_bytes_of(coded, coded_len - 4);
    coded[coded_len] = 0; /* behind a last block the empty one begins anew */
    return enc_bytes_of(coded, coded_len + 1);
}

Test(deflate, a_message_is_a_stored_block_and_the_twin)
{
    static const size_t LENS[] = {64, 256, 257, 512, 1000, 4096, 32768, 60000, sizeof text};
    static const uint8_t LEAD[] = "{\"sub_id\":\"s\",";
    for (size_t i = 0; i < sizeof LENS / sizeof *LENS; i++) {
        struct enc_frame *frame = enc_frame_new(enc_bytes_of(text, LENS[i]));
        struct enc_frame *twin = enc_deflate_twin(frame);
        cr_assert_not_null(twin, "%zu", LENS[i]);
        struct enc_bytes blocks = enc_frame_bytes(twin), out;
        cr_assert_lt(blocks.len + ENC_DEFLATE_STORED_LEN, LENS[i]);
        enc_deflate_stored_head(coded, sizeof LEAD);
        memcpy(coded + 5, LEAD, sizeof LEAD);
        memcpy(coded + 5 + sizeof LEAD, blocks.data, blocks.len);
        cr_assert_eq(inflate_all(&out, enc_bytes_of(coded, 5 + sizeof LEAD + blocks.len), 1 << 20),
                     ENC_INFLATED_WHOLE);
        cr_assert_eq(out.len, sizeof LEAD + LENS[i]);
        cr_assert_eq(memcmp(out.data, LEAD, sizeof LEAD), 0);
        cr_assert_eq(memcmp(out.data + sizeof LEAD, text, LENS[i]), 0);
        enc_inflater_rest(inflater);
        enc_frame_drop(frame);
    }
}

Test(deflate, a_window_as_long_as_the_frame_is_enough)
{
    for (int bits = 8; bits <= 15; bits++) {
        size_t len = (size_t)1 << bits;
        struct enc_frame *frame = enc_frame_new(enc_bytes_of(text, len));
        struct enc_frame *twin = enc_deflate_twin(frame);
        cr_assert_not_null(twin);
        z_stream stream = {.next_in = (uint8_t *)(uintptr_t)enc_frame_bytes(twin).data,
                           .avail_in = (uInt)enc_frame_bytes(twin).len,
                           .next_out = coded,
                           .avail_out = sizeof coded};
        cr_assert_eq(inflateInit2(&stream, -bits), Z_OK);
        cr_assert_eq(inflate(&stream, Z_SYNC_FLUSH), Z_OK);
        cr_assert_eq(stream.total_out, len);
        cr_assert_eq(memcmp(coded, text, len), 0);
        inflateEnd(&stream);
        enc_frame_drop(frame);
    }
}

Test(deflate, a_twin_is_made_once)
{
    struct enc_frame *frame = enc_frame_new(enc_bytes_of(text, 1000));
    struct enc_frame *twin = enc_deflate_twin(frame);
    cr_assert_not_null(twin);
    for (int i = 0; i < 100; i++)
        cr_assert_eq(enc_deflate_twin(frame), twin);
    cr_assert_eq(enc_frame_twin(frame), twin);
    enc_frame_drop(frame);
}

Test(deflate, what_does_not_become_smaller_has_none)
{
    static const size_t LENS[] = {0, 1, 5, 6, 100, 1000, 70000};
    for (size_t i = 0; i < sizeof LENS / sizeof *LENS; i++) {
        struct enc_frame *frame = enc_frame_new(enc_bytes_of(noise, LENS[i]));
        cr_assert_null(enc_deflate_twin(frame), "%zu", LENS[i]);
        cr_assert_not_null(enc_frame_twin(frame), "and nobody tries again");
        cr_assert_null(enc_deflate_twin(frame));
        enc_frame_drop(frame);
    }
}

Test(deflate, the_longest_message_and_one_byte_more)
{
    static const size_t LENS[] = {1, 4095, 4096, 4097, 65536, 99999};
    struct enc_bytes out;
    for (size_t i = 0; i < sizeof LENS / sizeof *LENS; i++) {
        struct enc_bytes message = message_of(noise, LENS[i], Z_SYNC_FLUSH);
        cr_assert_eq(inflate_all(&out, message, LENS[i]), ENC_INFLATED_WHOLE, "%zu", LENS[i]);
        cr_assert_eq(out.len, LENS[i]);
        cr_assert_eq(memcmp(out.data, noise, LENS[i]), 0);
        cr_assert_eq(inflate_all(&out, message, LENS[i] - 1), ENC_INFLATED_TOO_LARGE, "%zu",
                     LENS[i]);
        cr_assert_leq(out.len, LENS[i]);
        if (i % 2)
            enc_inflater_rest(inflater);
    }
}

Test(deflate, blocks_that_say_they_are_the_last)
{
    struct enc_bytes out;
    cr_assert_eq(inflate_all(&out, message_of(text, 5000, Z_FINISH), 5000), ENC_INFLATED_WHOLE);
    cr_assert_eq(out.len, 5000);
    cr_assert_eq(memcmp(out.data, text, 5000), 0);
    /* RFC 7692 7.2.3.4 */
    cr_assert_eq(inflate_all(&out, ENC_LIT("\xf3\x48\xcd\xc9\xc9\x07\x00\x00"), 100),
                 ENC_INFLATED_WHOLE);
    cr_assert(enc_bytes_is(out, "Hello"));
}

Test(deflate, examples_of_the_rfc)
{
    struct enc_bytes out;
    cr_assert_eq(inflate_all(&out, ENC_LIT("\xf2\x48\xcd\xc9\xc9\x07\x00"), 100),
                 ENC_INFLATED_WHOLE);
    cr_assert(enc_bytes_is(out, "Hello"));
    cr_assert_eq(inflate_all(&out, ENC_LIT("\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00"), 100),
                 ENC_INFLATED_WHOLE);
    cr_assert(enc_bytes_is(out, "Hello"));
    cr_assert_eq(inflate_all(&out,
                             ENC_LIT("\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07"
                                     "\x00"),
                             100),
                 ENC_INFLATED_WHOLE);
    cr_assert(enc_bytes_is(out, "Hello"));
    cr_assert_eq(inflate_all(&out, ENC_LIT("\x00"), 100), ENC_INFLATED_WHOLE);
    cr_assert_eq(out.len, 0);
    /* a context that was taken over all the same */
    cr_assert_eq(inflate_all(&out, ENC_LIT("\xf2\x00\x11\x00\x00"), 100), ENC_INFLATED_WRONG);
}

Test(deflate, malformed_ones)
{
    struct enc_bytes out;
    cr_assert_eq(inflate_all(&out, ENC_LIT("\x06"), 100), ENC_INFLATED_WRONG, "block type 3");
    cr_assert_eq(inflate_all(&out, ENC_LIT(""), 100), ENC_INFLATED_WRONG, "no header");
    cr_assert_eq(inflate_all(&out, ENC_LIT("\x00\x09\x00\xf6\xffHel"), 100), ENC_INFLATED_WRONG,
                 "the end of a block is missing");
    cr_assert_eq(inflate_all(&out, ENC_LIT("\x00\x05\x00\xfb\xffHello\x00"), 100),
                 ENC_INFLATED_WRONG, "LEN and NLEN");
}

Test(deflate, a_bomb_is_bounded)
{
    static uint8_t zeros[1 << 20];
    struct enc_bytes out;
    struct enc_bytes message = message_of(zeros, sizeof zeros, Z_SYNC_FLUSH);
    cr_assert_lt(message.len, 2000);
    cr_assert_eq(inflate_all(&out, message, 65536), ENC_INFLATED_TOO_LARGE);
    cr_assert_eq(out.len, 65537);
    cr_assert_eq(inflate_all(&out, message, sizeof zeros), ENC_INFLATED_WHOLE);
    cr_assert_eq(out.len, sizeof zeros);
}
