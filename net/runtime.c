/* struct enc_runtime over h2o, libcurl and the kernel. */
#include "net/call.h"
#include "net/conn.h"
#include "net/fetch.h"
#include "net/process.h"
#include "net/server.h"
#include "net/tracer.h"

static uint64_t now_ms(void *self)
{
    (void)self;
    return enc_process_now_ms();
}

static uint64_t now_ns(void *self)
{
    (void)self;
    return enc_process_now_ns();
}

static void random_bytes(void *self, uint8_t *out, size_t len)
{
    (void)self;
    enc_process_random(out, len);
}

static void reply(void *self, struct enc_call *call, const struct enc_reply *answer)
{
    (void)self;
    enc_call_reply(call, answer);
}

static void ws_send(void *self, struct enc_conn *conn, const struct enc_outgoing *outgoing)
{
    (void)self;
    enc_conn_send(conn, outgoing);
}

static void ws_close(void *self, struct enc_conn *conn, uint16_t code)
{
    (void)self;
    enc_conn_close(conn, code);
}

static void conn_hold(void *self, struct enc_conn *conn)
{
    (void)self;
    enc_conn_hold(conn);
}

static void conn_drop(void *self, struct enc_conn *conn)
{
    (void)self;
    enc_conn_drop(conn);
}

static void fetch_post(void *self, struct enc_fetch *fetch)
{
    struct enc_server *server = self;
    enc_fetcher_post(server->fetcher, fetch);
}

static struct enc_trace *trace_begin(void *self, struct enc_trace_context *context)
{
    const struct enc_server *server = self;
    struct enc_trace *trace = enc_tracer_begin(server->tracer, context, NULL);
    if (trace)
        trace->kind = ENC_TRACE_MESSAGE;
    return trace;
}

static void trace_end(void *self, struct enc_trace *trace)
{
    const struct enc_server *server = self;
    enc_tracer_end(server->tracer, trace);
}

void enc_runtime_init(struct enc_runtime *runtime, struct enc_server *server)
{
    *runtime = (struct enc_runtime){
        .self = server,
        .now_ms = now_ms,
        .now_ns = now_ns,
        .random = random_bytes,
        .reply = reply,
        .ws_send = ws_send,
        .ws_close = ws_close,
        .conn_hold = conn_hold,
        .conn_drop = conn_drop,
        .fetch = fetch_post,
        .trace_begin = server->tracer ? trace_begin : NULL,
        .trace_end = trace_end,
    };
}
