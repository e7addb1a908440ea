#include "net/traceparent.h"

#include <criterion/criterion.h>
#include <stdio.h>

static const char GOOD[] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

static bool parses(struct enc_trace_context *out, const char *text)
{
    return enc_traceparent_parse(out, enc_bytes_of_text(text));
}

Test(traceparent, what_is_written_is_read)
{
    struct enc_trace_context context;
    char text[ENC_TRACEPARENT_LEN + 1];
    cr_assert(parses(&context, GOOD));
    cr_assert(context.is_sampled);
    cr_assert_eq(context.trace16[0], 0x0a);
    cr_assert_eq(context.span8[7], 0x31);
    enc_traceparent_write(text, &context);
    cr_assert_str_eq(text, GOOD);
    context.is_sampled = false;
    enc_traceparent_write(text, &context);
    cr_assert_str_eq(text + 52, "-00");
    cr_assert(parses(&context, text));
    cr_assert(!context.is_sampled);
}

Test(traceparent, only_the_last_flag_counts)
{
    char text[sizeof GOOD];
    struct enc_trace_context context;
    for (unsigned flags = 0; flags < 256; flags++) {
        snprintf(text, sizeof text, "%.53s%02x", GOOD, flags);
        cr_assert(parses(&context, text));
        cr_assert_eq(context.is_sampled, flags & 1);
    }
}

/* Any byte anywhere: only small hex digits at the places of digits pass, and nothing changes
 * otherwise. */
Test(traceparent, every_byte_at_every_place)
{
    static const struct enc_trace_context NONE;
    for (size_t at = 0; at < sizeof GOOD - 1; at++) {
        for (unsigned byte = 1; byte < 256; byte++) {
            struct enc_trace_context context = NONE;
            char text[sizeof GOOD];
            memcpy(text, GOOD, sizeof text);
            text[at] = (char)byte;
            bool is_digit = (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'f');
            bool is_dash = GOOD[at] == '-';
            bool is_good = is_dash ? byte == '-' : is_digit;
            cr_assert_eq(parses(&context, text), is_good, "%zu %u", at, byte);
            if (!is_good)
                cr_assert_eq(memcmp(&context, &NONE, sizeof NONE), 0);
        }
    }
}

Test(traceparent, versions_and_lengths)
{
    static const struct {
        const char *text;
        bool is_good;
    } ROWS[] = {
        {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-", false},
        {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-00", false},
        {"01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", true},
        {"01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-", true},
        {"fe-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what else", true},
        {"01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01.", false},
        {"ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", false},
        {"00-00000000000000000000000000000000-b7ad6b7169203331-01", false},
        {"00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01", false},
        {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0", false},
        {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-", false},
        {"", false},
    };
    struct enc_trace_context context;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++)
        cr_assert_eq(parses(&context, ROWS[i].text), ROWS[i].is_good, "%s", ROWS[i].text);
    for (size_t len = 0; len < sizeof GOOD - 1; len++)
        cr_assert(!enc_traceparent_parse(&context, enc_bytes_of(GOOD, len)));
}
