#include "net/encctl/http.h"

#include "net/encctl/out.h"

#include <stdio.h>

enum { URL_LEN_MAX = 2048, TIMEOUT_S = 60, CONNECT_TIMEOUT_S = 10, BODY_LEN_MAX = 256 << 20 };

static size_t take_body(char *data, size_t size, size_t count, void *opaque)
{
    struct enc_buffer *body = (struct enc_buffer *)opaque;
    enc_buffer_add(body, enc_bytes_of(data, size * count));
    return body->failed ? 0 : size * count;
}

static CURL *fresh_handle(struct enc_ctl *ctl)
{
    if (!ctl->curl)
        ctl->curl = curl_easy_init();
    ENC_CHECK(ctl->curl != NULL);
    curl_easy_reset(ctl->curl); /* the connection stays */
    return ctl->curl;
}

static bool perform(struct enc_ctl *ctl, struct enc_arena *arena, struct enc_answer *answer,
                    const char *path)
{
    char url[URL_LEN_MAX];
    char why[CURL_ERROR_SIZE] = "";
    struct enc_buffer body;
    struct enc_json_facts facts;
    struct enc_json *json = NULL;
    snprintf(url, sizeof url, "%s%s", ctl->url, path);
    const struct enc_http_bounds *bounds = &ctl->bounds;
    enc_buffer_init(&body, arena, bounds->body_len_max ? bounds->body_len_max : BODY_LEN_MAX);
    ctl->http_status = 0;
    curl_easy_setopt(ctl->curl, CURLOPT_URL, url);
    curl_easy_setopt(ctl->curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(ctl->curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(ctl->curl, CURLOPT_WRITEDATA, &body);
    curl_easy_setopt(ctl->curl, CURLOPT_ERRORBUFFER, why);
    curl_easy_setopt(ctl->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(ctl->curl, CURLOPT_TIMEOUT_MS,
                     bounds->timeout_ms ? bounds->timeout_ms : TIMEOUT_S * 1000L);
    curl_easy_setopt(ctl->curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_TIMEOUT_S);
    CURLcode code = curl_easy_perform(ctl->curl);
    if (code != CURLE_OK || enc_buffer_bytes(&body, &answer->body) != ENC_ERR_OK) {
        enc_out_fault("%s: %s", url, why[0] ? why : curl_easy_strerror(code));
        return false;
    }
    curl_easy_getinfo(ctl->curl, CURLINFO_RESPONSE_CODE, &answer->status);
    ctl->http_status = answer->status;
    bool is_json = enc_json_parse(&json, arena, answer->body, &facts) == ENC_ERR_OK;
    answer->json = is_json ? json : NULL;
    return true;
}

bool enc_http_get(struct enc_ctl *ctl, struct enc_arena *arena, struct enc_answer *answer,
                  const char *path)
{
    fresh_handle(ctl);
    return perform(ctl, arena, answer, path);
}

bool enc_http_post(struct enc_ctl *ctl, struct enc_arena *arena, struct enc_answer *answer,
                   const char *path, struct enc_bytes body)
{
    CURL *curl = fresh_handle(ctl);
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    headers = curl_slist_append(headers, "Expect:"); /* no round trip before a large body */
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, (const char *)body.data);
    bool has_answer = perform(ctl, arena, answer, path);
    curl_slist_free_all(headers);
    return has_answer;
}

bool enc_http_good(const struct enc_ctl *ctl, const struct enc_answer *answer)
{
    struct enc_bytes code;
    struct enc_bytes message = ENC_LIT("");
    if (answer->status == 200 && answer->json && answer->json->kind == ENC_JSON_OBJECT)
        return true;
    if (!enc_json_text(enc_json_get(answer->json, "code"), &code)) {
        enc_out_fault("%s answers with status %ld and no JSON object", ctl->url, answer->status);
        return false;
    }
    if (!enc_json_text(enc_json_get(answer->json, "message"), &message))
        message = ENC_LIT("");
    if (ctl->is_json)
        enc_out_line(answer->body);
    enc_out_fault("%.*s: %.*s", (int)code.len, (const char *)code.data, (int)message.len,
                  (const char *)message.data);
    return false;
}
