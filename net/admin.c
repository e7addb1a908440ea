#include "net/admin.h"

#include "net/exposition.h"
#include "net/log.h"
#include "net/page.h"
#include "net/respond.h"
#include "net/server.h"
#include "net/watchdog.h"

#include <stdio.h>
#include <stdlib.h>

static const char JSON_TYPE[] = "application/json";

static void respond_json(h2o_req_t *req, unsigned status, const char *text)
{
    struct enc_reply reply = {.status = (uint16_t)status, .content_type = JSON_TYPE};
    reply.body = enc_bytes_of(h2o_strdup(&req->pool, text, SIZE_MAX).base, strlen(text));
    enc_respond(req, &reply);
}

static void get_health(h2o_req_t *req)
{
    char text[512];
    bool is_alive =
        enc_watchdog_json(enc_loop_of_request(req)->server->watchdog, text, sizeof text);
    respond_json(req, is_alive ? 200 : 503, text);
}

struct reason {
    enum enc_unready bit;
    const char *text;
};
static const struct reason REASONS[] = {
    {ENC_UNREADY_STARTING, "starting"},  {ENC_UNREADY_DRAINING, "draining"},
    {ENC_UNREADY_DISK, "disk_floor"},    {ENC_UNREADY_STORE, "store_failed"},
    {ENC_UNREADY_WRITES, "writes_fail"}, {ENC_UNREADY_BACKLOG, "backlog"},
};

static void get_ready(h2o_req_t *req)
{
    struct enc_server *server = enc_loop_of_request(req)->server;
    /* relaxed: each bit stands alone */
    unsigned unready = atomic_load_explicit(&server->unready, memory_order_relaxed);
    char text[256] = "{\"status\":\"unready\",\"reasons\":[";
    if (!unready) {
        respond_json(req, 200, "{\"status\":\"ready\"}");
        return;
    }
    for (size_t i = 0; i < sizeof REASONS / sizeof *REASONS; i++) {
        bool is_first = text[strlen(text) - 1] == '[';
        size_t len = strlen(text);
        if (unready & REASONS[i].bit)
            snprintf(text + len, sizeof text - len, "%s\"%s\"", is_first ? "" : ",",
                     REASONS[i].text);
    }
    snprintf(text + strlen(text), sizeof text - strlen(text), "]}");
    respond_json(req, 503, text);
}

static bool accepts_open_metrics(const h2o_req_t *req)
{
    ssize_t at = h2o_find_header(&req->headers, H2O_TOKEN_ACCEPT, -1);
    if (at == -1)
        return false;
    h2o_iovec_t value = req->headers.entries[at].value;
    return enc_exposition_is_open(enc_bytes_of(value.base, value.len));
}

static void free_text(void *slot)
{
    free(*(char **)slot);
}

static void get_metrics(h2o_req_t *req)
{
    bool is_open = accepts_open_metrics(req);
    struct enc_reply reply = {.status = 200, .content_type = enc_exposition_type(is_open)};
    char *text = enc_page_metrics(&reply.body.len, enc_loop_of_request(req)->server, is_open);
    ENC_CHECK(text != NULL);
    *(char **)h2o_mem_alloc_shared(&req->pool, sizeof text, free_text) = text;
    reply.body.data = (const uint8_t *)text;
    enc_respond(req, &reply);
}

static void get_levels(h2o_req_t *req)
{
    char text[256];
    struct enc_log_levels levels = enc_log_levels_get();
    enc_log_levels_json(text, sizeof text, &levels);
    respond_json(req, 200, text);
}

/* PUT, which no page of another site can send unasked. It lasts until SIGHUP. */
static void put_levels(h2o_req_t *req)
{
    char text[256];
    struct enc_log_levels levels = enc_log_levels_get();
    int len = snprintf(text, sizeof text, "%.*s", (int)req->entity.len, req->entity.base);
    bool is_whole = len == (int)req->entity.len && strlen(text) == req->entity.len;
    const char *wrong = is_whole ? enc_log_levels_parse(&levels, text) : "not ROOM=LEVEL";
    if (wrong) {
        enc_respond_refusal(
            req, &(struct enc_refusal){.err = ENC_ERR_INVALID_REQUEST, .message = wrong});
        return;
    }
    enc_log_levels_set(&levels);
    enc_log(LEVELS_SET);
    get_levels(req);
}

struct page {
    const char *path;
    void (*get)(h2o_req_t *req);
    void (*put)(h2o_req_t *req); /* NULL: it cannot be changed */
};
static const struct page PAGES[] = {
    {"/healthz", get_health, NULL},
    {"/readyz", get_ready, NULL},
    {"/metrics", get_metrics, NULL},
    {"/log/levels", get_levels, put_levels},
};

static const struct page *find_page(const h2o_req_t *req)
{
    for (size_t i = 0; i < sizeof PAGES / sizeof *PAGES; i++) {
        if (h2o_memis(req->path_normalized.base, req->path_normalized.len, PAGES[i].path,
                      strlen(PAGES[i].path)))
            return &PAGES[i];
    }
    return NULL;
}

static bool is_read(const h2o_req_t *req)
{
    return h2o_memis(req->method.base, req->method.len, H2O_STRLIT("GET")) ||
           h2o_memis(req->method.base, req->method.len, H2O_STRLIT("HEAD"));
}

static int on_request(h2o_handler_t *self, h2o_req_t *req)
{
    (void)self;
    const struct page *page = find_page(req);
    if (!page)
        enc_respond_refusal(
            req, &(struct enc_refusal){.err = ENC_ERR_INVALID_ROUTE, .message = "no such page"});
    else if (page->put && h2o_memis(req->method.base, req->method.len, H2O_STRLIT("PUT")))
        page->put(req);
    else if (!is_read(req))
        enc_respond_refusal(req, &(struct enc_refusal){.err = ENC_ERR_METHOD_NOT_ALLOWED});
    else
        page->get(req);
    return 0;
}

void enc_admin_register(h2o_hostconf_t *host)
{
    h2o_create_handler(&host->fallback_path, sizeof(h2o_handler_t))->on_req = on_request;
}
