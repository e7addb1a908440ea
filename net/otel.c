#include "net/otel.h"

#include "proto/base/hex.h"
#include "proto/utf8.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

static const char PATH[] = "/v1/traces";
static const char PAIR_FORM[] = "not NAME=VALUE,...";

#define ENC_OTEL(symbol, kind, name, preset, values, help)                                         \
    {ENC_OTEL_KIND_##kind, name, preset, values, help},
static const struct enc_otel_row ROWS[] = {
#include "net/otel.def"
};
#undef ENC_OTEL

const struct enc_otel_row *enc_otel_rows(void)
{
    return ROWS;
}

void enc_otel_values(char out[160], const struct enc_otel_row *row)
{
    static const char *const KINDS[] = {
        [ENC_OTEL_KIND_CHOICE] = "one of ", [ENC_OTEL_KIND_URL] = "http:// or https:// URL",
        [ENC_OTEL_KIND_HEADERS] = "pairs",  [ENC_OTEL_KIND_ATTRIBUTES] = "pairs",
        [ENC_OTEL_KIND_TEXT] = "text",      [ENC_OTEL_KIND_RATIO] = "number from 0 to 1",
    };
    if (row->kind == ENC_OTEL_KIND_NUMBER)
        snprintf(out, 160, "number from %.*s to %s", (int)strcspn(row->values, "|"), row->values,
                 strchr(row->values, '|') + 1);
    else
        snprintf(out, 160, "%s%s", KINDS[row->kind], row->values);
}

/* ---- pairs ---- */

static struct enc_bytes trimmed(struct enc_bytes text)
{
    while (text.len && (text.data[0] == ' ' || text.data[0] == '\t'))
        text = enc_bytes_of(text.data + 1, text.len - 1);
    while (text.len && (text.data[text.len - 1] == ' ' || text.data[text.len - 1] == '\t'))
        text.len--;
    return text;
}

static bool decode(char *out, size_t max_len, struct enc_bytes text)
{
    size_t at = 0;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t byte = text.data[i];
        if (byte == '%') {
            if (text.len - i < 3 || !enc_hex_decode(&byte, 1, enc_bytes_of(text.data + i + 1, 2)))
                return false;
            i += 2;
        }
        if (byte == 0 || at + 1 >= max_len)
            return false;
        out[at++] = (char)byte;
    }
    out[at] = '\0';
    return true;
}

bool enc_otel_pair_take(struct enc_otel_pair *out, const char **rest, const char **wrong)
{
    *wrong = NULL;
    if (**rest == '\0')
        return false;
    size_t len = strcspn(*rest, ",");
    struct enc_bytes value = enc_bytes_of(*rest, len);
    bool has_equals = memchr(*rest, '=', len) != NULL;
    struct enc_bytes key = trimmed(enc_bytes_cut(&value, '='));
    *rest += len + ((*rest)[len] == ',');
    if (has_equals && key.len && decode(out->key, sizeof out->key, key) &&
        decode(out->value, sizeof out->value, trimmed(value)))
        return true;
    *wrong = PAIR_FORM;
    return false;
}

static bool is_token(const char *text)
{
    static const char MARKS[] = "!#$%&'*+-.^_`|~";
    for (; *text; text++)
        if (!isalnum((unsigned char)*text) && !strchr(MARKS, *text))
            return false;
    return true;
}

static bool is_field_value(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            return false;
    return true;
}

static const char *check_header(const struct enc_otel_pair *pair)
{
    return is_token(pair->key) && is_field_value(pair->value) ? NULL : "not a header field";
}

static const char *check_attribute(const struct enc_otel_pair *pair)
{
    bool is_text = enc_utf8_is_valid(enc_bytes_of_text(pair->key)) &&
                   enc_utf8_is_valid(enc_bytes_of_text(pair->value));
    return is_text ? NULL : "not UTF-8";
}

static bool is_given_again(const char *rest, const char *key)
{
    struct enc_otel_pair pair;
    const char *wrong;
    while (enc_otel_pair_take(&pair, &rest, &wrong))
        if (strcasecmp(pair.key, key) == 0)
            return true;
    return false;
}

static const char *check_pairs(const char *text,
                               const char *(*check)(const struct enc_otel_pair *pair))
{
    struct enc_otel_pair pair;
    const char *wrong = NULL;
    while (!wrong && enc_otel_pair_take(&pair, &text, &wrong)) {
        wrong = check(&pair);
        if (!wrong && is_given_again(text, pair.key))
            wrong = "a name is given twice";
    }
    return wrong;
}

/* ---- values ---- */

static int choice_of(const char *names, const char *text)
{
    size_t len = strlen(text);
    for (int index = 0;; index++) {
        size_t name_len = strcspn(names, "|");
        if (name_len == len && strncasecmp(names, text, len) == 0)
            return index;
        if (names[name_len] == '\0')
            return -1;
        names += name_len + 1;
    }
}

static bool take_number(uint64_t *out, const char *text)
{
    enum { DIGITS_MAX = 9 };
    if (strlen(text) > DIGITS_MAX || !*text)
        return false;
    for (*out = 0; *text; text++) {
        if (!isdigit((unsigned char)*text))
            return false;
        *out = *out * 10 + (uint64_t)(*text - '0');
    }
    return true;
}

static const char *check_number(const char *values, const char *text)
{
    uint64_t number;
    const char *bar = strchr(values, '|');
    bool is_in = take_number(&number, text) && number >= strtoull(values, NULL, 10) &&
                 number <= strtoull(bar + 1, NULL, 10);
    return is_in ? NULL : "not a number within its bounds";
}

static const char *check_ratio(const char *text)
{
    char *end;
    double ratio = strtod(text, &end);
    bool is_in = (isdigit((unsigned char)*text) || *text == '.') && *end == '\0' && ratio >= 0 &&
                 ratio <= 1 && !strpbrk(text, "xX");
    return is_in ? NULL : "not a number from 0 to 1";
}

static const char *check_url(const char *text)
{
    size_t len = strlen(text);
    const char *host = strncmp(text, "https://", 8) == 0 ? text + 8 : text + 7;
    bool is_http = strncmp(text, "http://", 7) == 0 || host == text + 8;
    if (!is_http || *host == '\0' || *host == '/' || *host == ':' ||
        len + sizeof PATH > ENC_OTEL_URL_MAX || strpbrk(text, "@?#\\\"<> "))
        return "not http://HOST[:PORT][/PATH] or https://...";
    for (; *text; text++)
        if ((unsigned char)*text <= 0x20 || (unsigned char)*text >= 0x7f)
            return "not a URL";
    return NULL;
}

static const char *check(const struct enc_otel_row *row, const char *text)
{
    switch (row->kind) {
    case ENC_OTEL_KIND_CHOICE:
        return choice_of(row->values, text) < 0 ? "not one of its names" : NULL;
    case ENC_OTEL_KIND_URL:
        return check_url(text);
    case ENC_OTEL_KIND_HEADERS:
        return check_pairs(text, check_header);
    case ENC_OTEL_KIND_ATTRIBUTES:
        return check_pairs(text, check_attribute);
    case ENC_OTEL_KIND_NUMBER:
        return check_number(row->values, text);
    case ENC_OTEL_KIND_RATIO:
        return check_ratio(text);
    case ENC_OTEL_KIND_TEXT:
        return enc_utf8_is_valid(enc_bytes_of_text(text)) ? NULL : "not UTF-8";
    }
    return "of an unknown kind";
}

/* ---- all together ---- */

static const char *find(char **environ_kv, const char *name)
{
    size_t len = strlen(name);
    for (; *environ_kv; environ_kv++)
        if (strncmp(*environ_kv, name, len) == 0 && (*environ_kv)[len] == '=')
            return *environ_kv + len + 1;
    return "";
}

/* What is meant for traces goes before what is meant for all signals. */
static enum enc_otel_name nearer(const char *const *texts, enum enc_otel_name traces,
                                 enum enc_otel_name all)
{
    return texts[traces][0] ? traces : all;
}

#define NEARER(texts, name) nearer(texts, ENC_OTEL_TRACES_##name, ENC_OTEL_##name)

static uint64_t number_of(const char *text)
{
    uint64_t number = 0;
    return take_number(&number, text) ? number : 0;
}

static unsigned choice_at(const char *const *texts, enum enc_otel_name name)
{
    int index = choice_of(ROWS[name].values, texts[name]);
    return index < 0 ? 0 : (unsigned)index;
}

static void set_url(struct enc_otel *out, const char *const *texts)
{
    enum enc_otel_name name = NEARER(texts, ENDPOINT);
    size_t len = strlen(texts[name]);
    bool is_base = name == ENC_OTEL_ENDPOINT && len > 0;
    while (is_base && texts[name][len - 1] == '/')
        len--;
    snprintf(out->url, sizeof out->url, "%.*s%s", (int)len, texts[name], is_base ? PATH : "");
}

static void set_all(struct enc_otel *out, const char *const *texts)
{
    enum { EXPORTER_OTLP, DISABLED_NO = 0, PROTOCOL_JSON = 0 };
    set_url(out, texts);
    bool is_wanted = out->url[0] && choice_at(texts, ENC_OTEL_DISABLED) == DISABLED_NO &&
                     choice_at(texts, ENC_OTEL_EXPORTER) == EXPORTER_OTLP;
    bool is_spoken = choice_at(texts, NEARER(texts, PROTOCOL)) == PROTOCOL_JSON;
    out->is_on = is_wanted && is_spoken;
    if (is_wanted && !is_spoken)
        out->why_off = "OTEL_EXPORTER_OTLP_PROTOCOL: only http/json is spoken";
    out->headers = texts[NEARER(texts, HEADERS)];
    out->ca_file = texts[NEARER(texts, CERTIFICATE)];
    out->service_name = texts[ENC_OTEL_SERVICE_NAME];
    out->attributes = texts[ENC_OTEL_ATTRIBUTES];
    out->sampler = enc_sampler_of(choice_at(texts, ENC_OTEL_SAMPLER),
                                  strtod(texts[ENC_OTEL_SAMPLER_ARG], NULL));
    out->timeout_ms = number_of(texts[NEARER(texts, TIMEOUT)]);
    out->queue_max = number_of(texts[ENC_OTEL_QUEUE_MAX]);
    out->batch_max = number_of(texts[ENC_OTEL_BATCH_MAX]);
    out->delay_ms = number_of(texts[ENC_OTEL_DELAY]);
}

void enc_otel_read(struct enc_otel *out, char **environ_kv,
                   void (*blame)(void *opaque, const char *name, const char *wrong), void *opaque)
{
    const char *texts[ENC_OTEL_COUNT];
    bool is_good = true;
    *out = (struct enc_otel){.is_on = false};
    for (size_t i = 0; i < ENC_OTEL_COUNT; i++) {
        const char *text = find(environ_kv, ROWS[i].name);
        const char *wrong = *text ? check(&ROWS[i], text) : NULL;
        texts[i] = *text ? text : ROWS[i].preset;
        is_good &= wrong == NULL;
        if (wrong)
            blame(opaque, ROWS[i].name, wrong);
    }
    if (is_good)
        set_all(out, texts);
}
