#include "net/ticket.h"

#include "net/process.h"
#include "proto/base/hex.h"

#include <ctype.h>

enum { MADE_LEN = 16, STOCK_LEN = 64 * MADE_LEN };

static const char NAME[] = "x-request-id";
static const char MARK[] = "enc-ticket";
static const char ERROR_HEAD[] = "{\"type\":\"Error\",\"code\":\"";

bool enc_request_id_is_safe(struct enc_bytes text)
{
    if (text.len == 0 || text.len >= sizeof((struct enc_request_id *)0)->text)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        bool is_plain = text.data[i] < 0x80 && isalnum(text.data[i]);
        if (!is_plain && text.data[i] != '_' && text.data[i] != '.' && text.data[i] != '-')
            return false;
    }
    return true;
}

/* A call of the kernel for every sixty-fourth only. */
void enc_request_id_make(struct enc_request_id *id)
{
    static _Thread_local uint8_t stock[STOCK_LEN];
    static _Thread_local size_t left;
    if (left == 0) {
        enc_process_random(stock, sizeof stock);
        left = sizeof stock;
    }
    left -= MADE_LEN;
    enc_hex_encode(id->text, enc_bytes_of(stock + left, MADE_LEN));
    id->text[2 * MADE_LEN] = '\0';
}

static void take_id(struct enc_request_id *id, const h2o_req_t *req)
{
    ssize_t at = h2o_find_header_by_str(&req->headers, NAME, sizeof NAME - 1, -1);
    struct enc_bytes given = {NULL, 0};
    if (at != -1)
        given =
            enc_bytes_of(req->headers.entries[at].value.base, req->headers.entries[at].value.len);
    if (!enc_request_id_is_safe(given)) {
        enc_request_id_make(id);
        return;
    }
    ENC_CHECK(given.data != NULL); /* what is empty is not safe */
    memcpy(id->text, given.data, given.len);
    id->text[given.len] = '\0';
}

struct enc_ticket *enc_ticket_of(h2o_req_t *req)
{
    h2o_iovec_t *slot = h2o_req_getenv(req, MARK, sizeof MARK - 1, 1);
    if (slot->base)
        return (void *)slot->base;
    struct enc_ticket *ticket = h2o_mem_alloc_pool(&req->pool, sizeof *ticket);
    *ticket = (struct enc_ticket){.begun_ns = uv_hrtime()};
    take_id(&ticket->id, req);
    *slot = h2o_iovec_init(ticket, sizeof *ticket);
    return ticket;
}

void enc_ticket_echo(h2o_req_t *req)
{
    const struct enc_ticket *ticket = enc_ticket_of(req);
    h2o_add_header_by_str(&req->pool, &req->res.headers, NAME, sizeof NAME - 1, 0, NULL,
                          ticket->id.text, strlen(ticket->id.text));
}

struct enc_bytes enc_error_code(struct enc_bytes body)
{
    size_t head_len = sizeof ERROR_HEAD - 1;
    if (body.len <= head_len || memcmp(body.data, ERROR_HEAD, head_len) != 0)
        return (struct enc_bytes){NULL, 0};
    const uint8_t *begin = body.data + head_len;
    const uint8_t *end = memchr(begin, '"', body.len - head_len);
    return enc_bytes_of(begin, end ? (size_t)(end - begin) : 0);
}
