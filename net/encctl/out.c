#include "net/encctl/out.h"

#include "proto/base/hex.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

enum { NAME_WIDTH = 14, SHORT_LEN = 8, CONTENT_LEN_MAX = 120 };

static void say(const char *format, va_list args)
{
    fputs("encctl: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
}

static char *capture;
static size_t capture_len;

void enc_out_capture(char *why, size_t len)
{
    capture = why;
    capture_len = len;
}

static void keep(const char *format, va_list args)
{
    vsnprintf(capture, capture_len, format, args);
    for (char *at = capture; *at; at++)
        if ((unsigned char)*at < ' ' || (unsigned char)*at >= 0x7f)
            *at = '?';
}

void enc_out_fault(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (capture)
        keep(format, args);
    else
        say(format, args);
    va_end(args);
}

void enc_out_note(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(format, args);
    va_end(args);
}

static void put(struct enc_bytes text)
{
    if (text.len)
        fwrite(text.data, 1, text.len, stdout);
}

void enc_out_line(struct enc_bytes text)
{
    put(text);
    fputc('\n', stdout);
}

void enc_out_buffer(const struct enc_buffer *buffer)
{
    struct enc_bytes text;
    if (enc_buffer_bytes(buffer, &text) == ENC_ERR_OK)
        enc_out_line(text);
    else
        enc_out_fault("out of memory");
}

void enc_out_text(const char *name, struct enc_bytes value)
{
    printf("%-*s ", NAME_WIDTH, name);
    enc_out_line(value);
}

void enc_out_hex(const char *name, const uint8_t *bytes, size_t len)
{
    char text[128];
    ENC_CHECK(len <= sizeof text / 2);
    enc_hex_encode(text, enc_bytes_of(bytes, len));
    enc_out_text(name, enc_bytes_of(text, 2 * len));
}

void enc_out_u64(const char *name, uint64_t value)
{
    printf("%-*s %" PRIu64 "\n", NAME_WIDTH, name, value);
}

void enc_out_members(const struct enc_json *object)
{
    for (const struct enc_json *m = object->child; m; m = m->next) {
        printf("%-*.*s ", NAME_WIDTH, (int)m->key.len, (const char *)m->key.data);
        enc_out_line(m->text);
    }
}

static struct enc_bytes text_of(const struct enc_json *object, const char *name)
{
    struct enc_bytes text = {NULL, 0};
    return enc_json_text(enc_json_get(object, name), &text) ? text : ENC_LIT("");
}

static void put_time(const struct enc_json *event)
{
    char text[32];
    uint64_t ms = 0;
    struct tm tm;
    if (!enc_json_u64(enc_json_get(event, "timestamp"), &ms))
        return;
    time_t s = (time_t)(ms / 1000);
    strftime(text, sizeof text, "%F %T", gmtime_r(&s, &tm));
    printf("%s.%03u", text, (unsigned)(ms % 1000));
}

/* Whatever somebody wrote must not move the cursor of who reads it. */
static void put_printable(struct enc_bytes text)
{
    size_t len = text.len < CONTENT_LEN_MAX ? text.len : CONTENT_LEN_MAX;
    while (len < text.len && len > 0 && (text.data[len] & 0xc0) == 0x80)
        len--;
    for (size_t i = 0; i < len; i++)
        fputc(text.data[i] < 0x20 || text.data[i] == 0x7f ? ' ' : text.data[i], stdout);
    if (len < text.len)
        fputs("...", stdout);
}

void enc_out_said(const char *name, struct enc_bytes text)
{
    printf("%-*s ", NAME_WIDTH, name);
    put_printable(text);
    fputc('\n', stdout);
}

void enc_out_element(const struct enc_json *element)
{
    uint64_t seq = 0;
    const struct enc_json *event = enc_json_get(element, "event");
    struct enc_bytes type = text_of(event, "type");
    struct enc_bytes from = text_of(event, "from");
    struct enc_bytes status = text_of(element, "status");
    if (!enc_json_u64(enc_json_get(event, "seq"), &seq))
        seq = 0;
    printf("%6" PRIu64 "  ", seq);
    put_time(event);
    printf("  %-12.*s %.*s  ", (int)type.len, (const char *)type.data,
           (int)(from.len < SHORT_LEN ? from.len : SHORT_LEN), (const char *)from.data);
    if (!enc_bytes_is(status, "active"))
        printf("[%.*s] ", (int)status.len, (const char *)status.data);
    put_printable(text_of(event, "content"));
    fputc('\n', stdout);
}

void enc_out_flush(void)
{
    fflush(stdout);
}
