#include "tests/crash/said.h"

#include "proto/base/check.h"
#include "proto/base/hex.h"
#include "proto/sha256.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void add(struct said *said, struct said_one one, struct enc_bytes text)
{
    if (said->count == said->room) {
        said->room = said->room ? 2 * said->room : 1024;
        said->all = (struct said_one *)realloc(said->all, said->room * sizeof *said->all);
        ENC_CHECK(said->all != NULL);
    }
    enc_sha256(one.digest32, text);
    said->all[said->count++] = one;
}

void said_add(struct said *said, enum said_kind kind, struct enc_bytes text)
{
    add(said, (struct said_one){.kind = kind, .text = text.data, .len = text.len}, text);
}

void said_add_head(struct said *said, uint64_t ts, const uint8_t r32[32])
{
    char hex[65] = "";
    char text[96];
    enc_hex_encode(hex, enc_bytes_of(r32, 32));
    int len = snprintf(text, sizeof text, "%" PRIu64 ":%.64s", ts, hex);
    add(said, (struct said_one){.kind = SAID_HEAD}, enc_bytes_of(text, (size_t)len));
}

static int compare(const void *a, const void *b)
{
    return memcmp(((const struct said_one *)a)->digest32, ((const struct said_one *)b)->digest32,
                  32);
}

void said_seal(struct said *said)
{
    if (said->count > 0)
        qsort(said->all, said->count, sizeof *said->all, compare);
}

bool said_has(const struct said *said, const struct said_one *one)
{
    return said->count > 0 &&
           bsearch(one, said->all, said->count, sizeof *said->all, compare) != NULL;
}

/* An object without objects in it, from its brace on. */
static void hear_object(struct said *said, enum said_kind kind, struct enc_bytes rest)
{
    const uint8_t *end = (const uint8_t *)memchr(rest.data, '}', rest.len);
    if (end)
        said_add(said, kind, enc_bytes_of(rest.data, (size_t)(end - rest.data) + 1));
}

/* "ts":7,"r":"<64 digits>", as in every answer that shows a head. */
static void hear_head(struct said *said, struct enc_bytes rest)
{
    uint64_t ts = 0;
    char hex[65] = "";
    char text[128];
    uint8_t r32[32];
    snprintf(text, sizeof text, "%.*s", (int)(rest.len < 120 ? rest.len : 120),
             (const char *)rest.data);
    if (sscanf(text, "\"ts\":%" SCNu64 ",\"r\":\"%64[0-9a-f]\"", &ts, hex) == 2 && ts > 0 &&
        enc_hex_decode(r32, 32, enc_bytes_of_text(hex)))
        said_add_head(said, ts, r32);
}

void said_hear(struct said *said, struct enc_bytes bytes)
{
    static const struct {
        const char *begins;
        enum said_kind kind;
    } ROWS[] = {{"{\"type\":\"Receipt\",\"id\"", SAID_RECEIPT},
                {"\"ts\":", SAID_HEAD},
                {"{\"type\":\"Push\",", SAID_PUSH}};
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        struct enc_bytes rest = bytes;
        size_t len = strlen(ROWS[i].begins);
        const uint8_t *at = NULL;
        while ((at = (const uint8_t *)memmem(rest.data, rest.len, ROWS[i].begins, len))) {
            rest = enc_bytes_of(at, (size_t)(bytes.data + bytes.len - at));
            if (ROWS[i].kind == SAID_HEAD)
                hear_head(said, rest);
            else
                hear_object(said, ROWS[i].kind, rest);
            rest = enc_bytes_of(rest.data + len, rest.len - len);
        }
    }
}
