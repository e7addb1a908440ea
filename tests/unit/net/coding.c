#include "net/coding.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <zlib.h>

static enum enc_coding best(const char *field)
{
    return enc_coding_of_field(enc_bytes_of_text(field));
}

TestSuite(coding);

Test(coding, the_best_that_is_accepted)
{
    static const struct {
        const char *field;
        enum enc_coding coding;
    } ROWS[] = {
        {"", ENC_CODING_NONE},
        {"identity", ENC_CODING_NONE},
        {"gzip", ENC_CODING_GZIP},
        {"GZip", ENC_CODING_GZIP},
        {"gzip, deflate, br", ENC_CODING_BROTLI},
        {"br;q=0, gzip;q=0.5", ENC_CODING_GZIP},
        {"br ; q=0.000,gzip;q=0", ENC_CODING_NONE},
        {"br;q=0.001", ENC_CODING_BROTLI},
        {"*", ENC_CODING_GZIP},
        {"*;q=0", ENC_CODING_NONE},
        {"xgzip, brx, zstd", ENC_CODING_NONE},
        {",,;q=0,", ENC_CODING_NONE},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++)
        cr_assert_eq(best(ROWS[i].field), ROWS[i].coding, "%s", ROWS[i].field);
}

Test(coding, what_does_not_become_smaller_is_left)
{
    uint8_t noise[2000];
    uint64_t state = 1;
    size_t len = 0;
    for (size_t i = 0; i < sizeof noise; i++) {
        state = state * 6364136223846793005U + 1442695040888963407U;
        noise[i] = (uint8_t)(state >> 56);
    }
    cr_assert_null(enc_coding_write(&len, ENC_CODING_GZIP, enc_bytes_of(noise, sizeof noise)));
    cr_assert_null(enc_coding_write(&len, ENC_CODING_BROTLI, enc_bytes_of(noise, sizeof noise)));
}

Test(coding, gzip_can_be_read)
{
    char text[8000];
    uint8_t back[sizeof text + 1];
    size_t len = 0;
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = "{\"seq\":0123456789}"[i * i % 18];
    uint8_t *coded = enc_coding_write(&len, ENC_CODING_GZIP, enc_bytes_of(text, sizeof text));
    cr_assert(coded && len < sizeof text / 2);
    z_stream stream = {
        .next_in = coded, .avail_in = (uInt)len, .next_out = back, .avail_out = sizeof back};
    cr_assert_eq(inflateInit2(&stream, 31), Z_OK);
    cr_assert_eq(inflate(&stream, Z_FINISH), Z_STREAM_END);
    cr_assert_eq(stream.total_out, sizeof text);
    cr_assert_eq(memcmp(back, text, sizeof text), 0);
    inflateEnd(&stream);
    free(coded);
    coded = enc_coding_write(&len, ENC_CODING_BROTLI, enc_bytes_of(text, sizeof text));
    cr_assert(coded && len < sizeof text / 2);
    free(coded);
    cr_assert_str_eq(enc_coding_name(ENC_CODING_BROTLI), "br");
}
