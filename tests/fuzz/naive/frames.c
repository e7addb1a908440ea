#include "tests/fuzz/naive/frames.h"

enum { GOING_ON = 0, PROTOCOL = 1002, NO_TEXT = 1007, TOO_BIG = 1009, NO_STATUS = 1005 };

struct reading {
    struct naive_frames *out;
    size_t len_max;
    bool is_open; /* a message is being put together, from open_at on */
    bool is_binary;
    size_t open_at;
};

struct frame {
    unsigned opcode;
    bool is_final, is_whole;
    uint64_t len;
    struct enc_bytes payload; /* masked; as much of it as there is */
    const uint8_t *mask4;
    size_t end;
};

/* ---- text ---- */

/* Bytes that a character with this first byte has; 0: none begins so. */
static size_t width_of(uint8_t first)
{
    return first < 0x80                     ? 1
           : first >= 0xc2 && first <= 0xdf ? 2
           : first >= 0xe0 && first <= 0xef ? 3
           : first >= 0xf0 && first <= 0xf4 ? 4
                                            : 0;
}

static bool may_be_second(uint8_t first, uint8_t second)
{
    uint8_t low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    uint8_t high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    return second >= low && second <= high;
}

/* Whether it is text, or could become text; is_whole: whether it is. */
static bool is_text(const uint8_t *at, size_t len, bool is_whole)
{
    for (size_t i = 0; i < len;) {
        size_t width = width_of(at[i]);
        if (width == 0)
            return false;
        for (size_t k = 1; k < width; k++) {
            if (i + k >= len)
                return !is_whole;
            if (k == 1 ? !may_be_second(at[i], at[i + 1]) : at[i + k] >> 6 != 2)
                return false;
        }
        i += width;
    }
    return true;
}

/* ---- frames ---- */

/* Reads what there is of a head; false: not all of it is there. code: what is wrong so far. */
static bool read_head(struct frame *frame, uint16_t *code, bool *is_early, struct enc_bytes bytes)
{
    const uint8_t *at = bytes.data;
    if (bytes.len < 2)
        return false;
    unsigned len7 = at[1] & 0x7f;
    bool is_control = at[0] & 8;
    size_t wide = len7 == 127 ? 8 : len7 == 126 ? 2 : 0;
    *frame = (struct frame){.opcode = at[0] & 15, .is_final = at[0] >> 7};
    if ((at[0] & 0x70) || !(at[1] & 0x80) || (frame->opcode & 7) > 2 ||
        (is_control && (len7 > 125 || !frame->is_final)))
        *code = PROTOCOL;
    *is_early = bytes.len < 2 + wide + 4 + (len7 > 0); /* wslay waits for the payload to begin */
    if (*code || bytes.len < 2 + wide + 4)
        return false;
    frame->len = wide ? 0 : len7;
    for (size_t i = 0; i < wide; i++)
        frame->len = frame->len << 8 | at[2 + i];
    if ((wide == 2 && frame->len < 126) || (wide == 8 && (frame->len < 65536 || frame->len >> 63)))
        *code = PROTOCOL;
    frame->mask4 = at + 2 + wide;
    size_t start = 2 + wide + 4, there = bytes.len - start;
    frame->is_whole = there >= frame->len;
    frame->payload = enc_bytes_of(at + start, frame->is_whole ? (size_t)frame->len : there);
    frame->end = start + frame->payload.len;
    return *code == GOING_ON;
}

static uint8_t byte_of(const struct frame *frame, size_t i)
{
    return frame->payload.data[i] ^ frame->mask4[i % 4];
}

static void close_with(struct naive_frames *out, uint16_t code)
{
    out->close_code = out->close_code ? out->close_code : code;
}

static bool is_code(unsigned code)
{
    return code >= 1000 && code < 5000 && code != 1004 && code != 1005 && code != 1006 &&
           !(code > 1011 && code < 3000);
}

static void take_close(struct naive_frames *out, const struct frame *frame)
{
    size_t len = frame->payload.len;
    unsigned code = len >= 2 ? (unsigned)byte_of(frame, 0) << 8 | byte_of(frame, 1) : NO_STATUS;
    if (len > 2 || (len == 2 && !is_code(code))) /* of one byte wslay makes no code at all */
        close_with(out, NAIVE_ANY);
    else
        close_with(out, (uint16_t)code);
    out->has_close = true;
}

static void take_control(struct naive_frames *out, const struct frame *frame)
{
    out->is_early |= frame->opcode == 8 && !frame->is_whole;
    if (frame->opcode == 8 && frame->is_whole)
        take_close(out, frame);
    out->pings += frame->opcode == 9 && frame->is_whole;
}

static void finish(struct reading *reading)
{
    struct naive_frames *out = reading->out;
    reading->is_open = false;
    if (out->count < NAIVE_MESSAGES_MAX)
        out->messages[out->count] = (struct naive_message){reading->is_binary, reading->open_at,
                                                           out->text_len - reading->open_at};
    out->count++;
}

static void take_data(struct reading *reading, const struct frame *frame)
{
    struct naive_frames *out = reading->out;
    bool goes_on = frame->opcode == 0;
    if (goes_on != reading->is_open) {
        close_with(out, PROTOCOL);
        return;
    }
    if (!goes_on) {
        reading->is_open = true;
        reading->is_binary = frame->opcode == 2;
        reading->open_at = out->text_len;
    }
    if (out->text_len - reading->open_at + frame->len > reading->len_max) {
        close_with(out, TOO_BIG);
        return;
    }
    for (size_t i = 0; i < frame->payload.len; i++)
        out->text[out->text_len++] = byte_of(frame, i);
    bool is_last = frame->is_whole && frame->is_final;
    if (!reading->is_binary &&
        !is_text(out->text + reading->open_at, out->text_len - reading->open_at, is_last))
        close_with(out, NO_TEXT);
    else if (is_last)
        finish(reading);
}

void naive_frames_read(struct naive_frames *out, struct enc_bytes bytes, size_t len_max)
{
    struct reading reading = {.out = out, .len_max = len_max};
    struct frame frame;
    uint16_t code = GOING_ON;
    out->count = out->pings = out->text_len = 0;
    out->close_code = 0;
    out->has_close = out->is_early = false;
    while (out->close_code == 0 && read_head(&frame, &code, &out->is_early, bytes)) {
        if (frame.opcode & 8)
            take_control(out, &frame);
        else
            take_data(&reading, &frame);
        bytes = enc_bytes_of(bytes.data + frame.end, bytes.len - frame.end);
    }
    if (code)
        close_with(out, code);
}
