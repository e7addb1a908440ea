#include "proto/proxy_head.h"

enum {
    LINE_LEN_MAX = 107, /* version 1, CR and LF included */
    FIXED_LEN = 16,     /* version 2, before the addresses */
    REST_LEN_MAX = 536,
    LOCAL = 0x20,
    PROXY = 0x21,
    TCP4 = 0x11,
    TCP4_LEN = 12,
    TCP6 = 0x21,
    TCP6_LEN = 36,
};

static const uint8_t SIGNATURE12[12] = {0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d,
                                        0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a};
static const uint8_t WORD6[6] = {'P', 'R', 'O', 'X', 'Y', ' '};

static bool agrees(struct enc_bytes bytes, const uint8_t *with, size_t len)
{
    return memcmp(bytes.data, with, bytes.len < len ? bytes.len : len) == 0;
}

/* ---- version 1: a line ---- */

static bool take_port(uint16_t *out, struct enc_bytes text)
{
    uint32_t port = 0;
    if (text.len == 0 || text.len > 5)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        port = port * 10 + text.data[i] - '0';
    }
    *out = (uint16_t)port;
    return port <= UINT16_MAX;
}

static bool read_line(struct enc_proxy_head *out, struct enc_bytes line)
{
    uint16_t port = 0;
    struct enc_bytes family = enc_bytes_cut(&line, ' ');
    if (enc_bytes_is(family, "UNKNOWN"))
        return true; /* whatever follows is to be ignored */
    out->family = enc_bytes_is(family, "TCP4") ? 4 : enc_bytes_is(family, "TCP6") ? 6 : 0;
    out->text = enc_bytes_cut(&line, ' ');
    struct enc_bytes to = enc_bytes_cut(&line, ' ');
    bool has_ports = take_port(&out->port, enc_bytes_cut(&line, ' ')) && take_port(&port, line);
    return out->family && out->text.len && to.len && has_ports;
}

static enum enc_proxy_status read_v1(struct enc_proxy_head *out, struct enc_bytes bytes)
{
    for (size_t at = sizeof WORD6; at + 1 < bytes.len && at + 1 < LINE_LEN_MAX; at++) {
        if (bytes.data[at] != '\r' && bytes.data[at] != '\n')
            continue;
        out->len = at + 2;
        struct enc_bytes line = enc_bytes_of(bytes.data + sizeof WORD6, at - sizeof WORD6);
        bool is_good = bytes.data[at] == '\r' && bytes.data[at + 1] == '\n';
        return is_good && read_line(out, line) ? ENC_PROXY_WHOLE : ENC_PROXY_WRONG;
    }
    return bytes.len < LINE_LEN_MAX ? ENC_PROXY_MORE : ENC_PROXY_WRONG;
}

/* ---- version 2: a struct ---- */

/* Sockets of another kind are as good as unknown. */
static bool take_addresses(struct enc_proxy_head *out, struct enc_bytes bytes, uint8_t kind)
{
    size_t need = kind == TCP4 ? TCP4_LEN : kind == TCP6 ? TCP6_LEN : 0;
    if (need == 0)
        return true;
    if (out->len < FIXED_LEN + need)
        return false;
    size_t address_len = kind == TCP4 ? 4 : 16;
    const uint8_t *at = bytes.data + FIXED_LEN;
    out->family = kind == TCP4 ? 4 : 6;
    out->address = enc_bytes_of(at, address_len);
    out->port = (uint16_t)(at[2 * address_len] << 8 | at[2 * address_len + 1]);
    return true;
}

static enum enc_proxy_status read_v2(struct enc_proxy_head *out, struct enc_bytes bytes)
{
    if (bytes.len < FIXED_LEN)
        return ENC_PROXY_MORE;
    uint8_t command = bytes.data[12];
    size_t rest_len = (size_t)(bytes.data[14] << 8 | bytes.data[15]);
    if ((command != LOCAL && command != PROXY) || rest_len > REST_LEN_MAX)
        return ENC_PROXY_WRONG;
    out->len = FIXED_LEN + rest_len;
    if (bytes.len < out->len)
        return ENC_PROXY_MORE;
    bool is_good = command == LOCAL || take_addresses(out, bytes, bytes.data[13]);
    return is_good ? ENC_PROXY_WHOLE : ENC_PROXY_WRONG;
}

enum enc_proxy_status enc_proxy_head_read(struct enc_proxy_head *out, struct enc_bytes bytes)
{
    *out = (struct enc_proxy_head){.len = 0};
    if (bytes.len == 0)
        return ENC_PROXY_MORE;
    if (agrees(bytes, SIGNATURE12, sizeof SIGNATURE12))
        return read_v2(out, bytes);
    return agrees(bytes, WORD6, sizeof WORD6) ? read_v1(out, bytes) : ENC_PROXY_WRONG;
}
