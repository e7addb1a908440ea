/* audit: which enclaves, where. */
#include "net/encctl/audit.h"

#include "net/encctl/out.h"
#include "net/encctl/registry.h"
#include "net/process.h"
#include "proto/base/hex.h"

#include <inttypes.h>
#include <stdlib.h>

enum { URL_MAX = 1024, PAGE = 100 };

struct enc_watch *enc_audit_watch(struct enc_audit *audit, const uint8_t enclave32[32])
{
    for (struct enc_watch *w = audit->watches; w; w = w->next)
        if (memcmp(w->enclave32, enclave32, 32) == 0)
            return w;
    struct enc_watch *watch = (struct enc_watch *)calloc(1, sizeof *watch);
    ENC_CHECK(watch != NULL);
    memcpy(watch->enclave32, enclave32, 32);
    watch->next = audit->watches;
    audit->watches = watch;
    return watch;
}

static bool has_target(const struct enc_audit *audit, const char *url, const uint8_t enclave32[32])
{
    for (size_t i = 0; i < audit->target_count; i++)
        if (strcmp(audit->targets[i].url, url) == 0 &&
            memcmp(audit->targets[i].watch->enclave32, enclave32, 32) == 0)
            return true;
    return false;
}

static void add_target(struct enc_audit *audit, struct enc_bytes url, const uint8_t enclave32[32])
{
    while (url.len > 0 && url.data[url.len - 1] == '/')
        url.len--;
    char *copy = enc_audit_keep(url);
    bool is_new = !has_target(audit, copy, enclave32);
    if (!is_new || audit->target_count == ENC_AUDIT_TARGETS_MAX) {
        free(copy);
        return;
    }
    size_t count = audit->target_count + 1;
    audit->targets = (struct enc_target *)realloc(audit->targets, count * sizeof *audit->targets);
    ENC_CHECK(audit->targets != NULL);
    audit->targets[audit->target_count++] = (struct enc_target){
        .url = copy, .watch = enc_audit_watch(audit, enclave32), .has_all_proofs = true};
}

bool enc_audit_find(struct enc_audit *audit, const char *word)
{
    uint8_t enclave32[32];
    const char *hash = strchr(word, '#');
    size_t len = hash ? (size_t)(hash - word) : strlen(word);
    if (strncmp(word, "http://", 7) != 0 && strncmp(word, "https://", 8) != 0) {
        enc_out_fault("not http:// or https://: %s", word);
        return false;
    }
    if (len >= URL_MAX || (hash && !enc_ctl_hex32(enclave32, hash + 1, "ENCLAVE")))
        return false;
    if (hash)
        add_target(audit, enc_bytes_of(word, len), enclave32);
    else
        audit->sources[audit->source_count++] = word;
    return true;
}

/* ---- what a registry lists ---- */

struct look {
    struct enc_audit *audit;
    const char *source;
    char base[URL_MAX];
    const struct enc_json *services;
    uint8_t node32[32];
};

static bool url_of(char url[URL_MAX], const struct look *look, const struct enc_json *service)
{
    struct enc_bytes mount;
    if (!enc_json_text(enc_json_get(service, "mount"), &mount) || mount.len == 0)
        return false;
    if (mount.data[mount.len - 1] == '/')
        mount.len--;
    return snprintf(url, URL_MAX, "%s%.*s", look->base, (int)mount.len, (const char *)mount.data) <
           URL_MAX;
}

static enum enc_reply get_info(struct enc_audit *audit, const struct enc_json **info,
                               const char *url, const uint8_t *enclave32)
{
    struct enc_answer answer = {.status = 0};
    char path[ENC_PATH_LEN_MAX] = "/info/enclave";
    char hex[64];
    if (enclave32) {
        enc_hex_encode(hex, enc_bytes_of(enclave32, 32));
        snprintf(path, sizeof path, "/enclave/%.64s/info/enclave", hex);
    }
    enc_ctl_turn_to(audit->ctl, url);
    bool is_good = enc_http_get(audit->ctl, &audit->ctl->arena, &answer, path) &&
                   enc_http_good(audit->ctl, &answer);
    *info = is_good ? answer.json : NULL;
    return is_good ? ENC_REPLY_GOOD : ENC_REPLY_REFUSED;
}

static bool is_listed(const struct look *look, const uint8_t enclave32[32])
{
    size_t len = strlen(look->base);
    for (size_t i = 0; i < look->audit->target_count; i++) {
        const struct enc_target *target = &look->audit->targets[i];
        if (strncmp(target->url, look->base, len) == 0 &&
            memcmp(target->watch->enclave32, enclave32, 32) == 0)
            return true;
    }
    return false;
}

/* An enclave at whichever mount of the node has it; the rest in the next round when it is late. */
static void add_listed(struct look *look, const uint8_t enclave32[32])
{
    char url[URL_MAX];
    const struct enc_json *info = NULL;
    if (is_listed(look, enclave32) || enc_process_now_ns() > look->audit->visit_end_ns)
        return;
    for (const struct enc_json *s = look->services->child; s; s = s->next)
        if (url_of(url, look, s) &&
            get_info(look->audit, &info, url, enclave32) == ENC_REPLY_GOOD) {
            add_target(look->audit, enc_bytes_of_text(url), enclave32);
            return;
        }
}

static void see_registration(struct look *look, const struct enc_json *event)
{
    struct enc_json *content = NULL;
    struct enc_json_facts facts;
    struct enc_bytes text;
    uint8_t node32[32], enclave32[32];
    bool is_here =
        enc_json_text(enc_json_get(event, "content"), &text) &&
        enc_json_parse(&content, &look->audit->ctl->arena, text, &facts) == ENC_ERR_OK &&
        enc_json_hex(enc_json_get(content, "node_pub"), node32, 32) &&
        memcmp(node32, look->node32, 32) == 0 &&
        enc_json_hex(enc_json_get(enc_json_get(content, "manifest"), "enclave"), enclave32, 32);
    if (is_here)
        add_listed(look, enclave32);
}

static void see_registry(struct look *look, char *url, const uint8_t enclave32[32])
{
    struct enc_target registry = {.watch = enc_audit_watch(look->audit, enclave32)};
    const struct enc_json *list = NULL;
    char filter[128];
    uint64_t seq = 0;
    registry.url = url;
    do {
        snprintf(filter, sizeof filter,
                 "{\"type\":\"Reg_Enclave\",\"limit\":%d,\"seq\":{\"start_after\":%" PRIu64 "}}",
                 PAGE, seq);
        if (enc_audit_query(look->audit, &list, &registry, filter) != ENC_REPLY_GOOD)
            break;
        for (const struct enc_json *e = list->child; e; e = e->next) {
            see_registration(look, enc_json_get(e, "event"));
            if (!enc_json_u64(enc_json_get(enc_json_get(e, "event"), "seq"), &seq))
                return;
        }
    } while (list->count == PAGE);
}

static bool begin(struct look *look)
{
    struct enc_answer answer = {.status = 0};
    struct enc_ctl *ctl = look->audit->ctl;
    struct enc_target whole = {.url = look->base};
    const char *host = strstr(look->source, "://") + 3;
    snprintf(look->base, sizeof look->base, "%.*s",
             (int)(strcspn(host, "/") + (size_t)(host - look->source)), look->source);
    enc_audit_turn_to(look->audit, &whole);
    look->services = NULL;
    if (enc_http_get(ctl, &ctl->arena, &answer, "/info/node") && enc_http_good(ctl, &answer) &&
        enc_json_hex(enc_json_get(answer.json, "seq_pub"), look->node32, 32))
        look->services = enc_json_get(answer.json, "services");
    return look->services && look->services->kind == ENC_JSON_OBJECT;
}

static size_t discover(struct look *look)
{
    char url[URL_MAX];
    uint8_t enclave32[32];
    const struct enc_json *info = NULL;
    size_t found = 0;
    for (const struct enc_json *s = begin(look) ? look->services->child : NULL; s; s = s->next) {
        if (!url_of(url, look, s) || get_info(look->audit, &info, url, NULL) != ENC_REPLY_GOOD ||
            !enc_json_hex(enc_json_get(info, "enclave"), enclave32, 32))
            continue;
        found++;
        add_target(look->audit, enc_bytes_of_text(url), enclave32);
        see_registry(look, url, enclave32);
    }
    return found;
}

void enc_audit_discover(struct enc_audit *audit)
{
    for (size_t i = 0; i < audit->source_count; i++) {
        struct look look = {.audit = audit, .source = audit->sources[i]};
        if (discover(&look) > 0)
            continue;
        audit->is_unreached = true;
        enc_audit_note(audit, NULL, "unreached", look.source);
        if (!audit->is_json)
            printf("unreached  %s: no registry there that lists enclaves\n", look.source);
    }
}
