#include "texts.h"

uint32_t random_below(uint32_t bound)
{
    static uint64_t state = 20261122;
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((state >> 33) % bound);
}

size_t put_utf8(uint8_t out4[4], uint32_t point)
{
    static const uint8_t LEADS[] = {0, 0, 0xc0, 0xe0, 0xf0};
    size_t len = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    for (size_t i = len; i-- > 1; point >>= 6)
        out4[i] = (uint8_t)(0x80 | (point & 0x3f));
    out4[0] = (uint8_t)(LEADS[len] | point);
    return len;
}

size_t random_text(uint8_t *out, size_t count)
{
    static const uint32_t POINTS[] = {
        'a', 'b',   'A',   'c',   ' ',   'e',    0xdf,   0xc9,    0xe9,    0x3a3,   0x3c2,
        's', 0x416, 0x436, 0x390, 0x130, 0x4e2d, 0xfb03, 0x1f600, 0x1f601, 0x10400, 0x20ac,
    };
    uint32_t used = 1 + random_below(sizeof POINTS / sizeof *POINTS);
    size_t len = 0;
    for (size_t i = 0; i < count; i++)
        len += put_utf8(out + len, POINTS[random_below(used)]);
    return len;
}
