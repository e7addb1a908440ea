#include "net/stream.h"

#include <criterion/criterion.h>

TestSuite(stream);

static struct enc_bytes head(uint8_t out[ENC_STREAM_HEAD_MAX], const char *frame,
                             const struct enc_outgoing *outgoing)
{
    struct enc_bytes kind = enc_stream_kind(enc_bytes_of_text(frame));
    return enc_bytes_of(out, enc_stream_head(out, kind, outgoing));
}

Test(stream, the_kind_is_what_the_json_begins_with)
{
    static const struct {
        const char *frame;
        const char *kind;
    } ROWS[] = {
        {"{\"type\":\"Event\",\"sub_id\":\"s\"}", "Event"},
        {"{\"type\":\"EOSE\"}", "EOSE"},
        {"{\"kind\":\"Event\"}", ""},
        {"{\"type\":\"", ""},
        {"", ""},
        {"{\"type\":\"SeventeenLettersX\"}", ""},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++)
        cr_expect(enc_bytes_is(enc_stream_kind(enc_bytes_of_text(ROWS[i].frame)), ROWS[i].kind),
                  "%s", ROWS[i].frame);
}

Test(stream, only_events_have_an_id)
{
    uint8_t out[ENC_STREAM_HEAD_MAX];
    const struct enc_outgoing event = {.has_seq = true, .seq = 0};
    const struct enc_outgoing last = {.has_seq = true, .seq = UINT64_MAX};
    const struct enc_outgoing other = {.seq = 7};
    cr_expect(
        enc_bytes_is(head(out, "{\"type\":\"Event\"}", &event), "event: event\nid: 0\ndata: "));
    cr_expect(enc_bytes_is(head(out, "{\"type\":\"SixteenLettersXX\"}", &last),
                           "event: sixteenlettersxx\nid: 18446744073709551615\ndata: "));
    cr_expect(enc_bytes_is(head(out, "{\"type\":\"EOSE\"}", &other), "event: eose\ndata: "));
}
