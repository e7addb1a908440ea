#include "net/call.h"

#include "net/coding.h"
#include "net/metric.h"
#include "net/process.h"
#include "net/respond.h"
#include "net/server.h"
#include "net/ticket.h"

#include <stdlib.h>

struct enc_call {
    struct enc_task task; /* first: the answer's way to the loop */
    struct enc_loop *loop;
    struct enc_peer *peer;
    h2o_req_t *req; /* NULL once the request is gone; loop thread only */
    bool is_answered;
    enum enc_coding coding; /* that the client takes */
    struct enc_coded coded; /* the reply's body in it */
    bool is_h2;
    uint64_t arrived_ns;
    struct enc_reply reply;
};

static void free_call(struct enc_call *call)
{
    if (call->reply.release)
        call->reply.release(call->reply.owner);
    free(call->coded.data);
    free(call);
}

/* h2o frees the request's pool exactly when the request dies, whichever way. */
static void on_request_gone(void *guard)
{
    struct enc_call *call = *(struct enc_call **)guard;
    call->req = NULL;
    if (call->is_answered) {
        free_call(call);
        return;
    }
    call->peer->resets++;
    enc_metric_add(ENC_METRIC_CALLS_ABANDONED, 1);
}

static enum enc_coding coding_of(const h2o_req_t *req, const struct enc_config *config)
{
    if (config->compress_min == 0)
        return ENC_CODING_NONE;
    ssize_t at = h2o_find_header(&req->headers, H2O_TOKEN_ACCEPT_ENCODING, -1);
    if (at == -1)
        return ENC_CODING_NONE;
    h2o_iovec_t field = req->headers.entries[at].value;
    return enc_coding_of_field(enc_bytes_of(field.base, field.len));
}

struct enc_call *enc_call_open(h2o_req_t *req, struct enc_peer *peer)
{
    struct enc_call *call = enc_net_new(sizeof *call);
    call->loop = peer->loop;
    call->peer = peer;
    call->req = req;
    call->coding = coding_of(req, peer->loop->server->config);
    call->is_h2 = req->version >= 0x200;
    call->arrived_ns = enc_process_now_ns();
    struct enc_call **guard = h2o_mem_alloc_shared(&req->pool, sizeof *guard, on_request_gone);
    *guard = call;
    enc_peer_hold(peer);
    peer->outstanding++;
    call->loop->call_count++;
    enc_metric_add(ENC_METRIC_CALLS_OPEN, 1);
    return call;
}

static void settle(struct enc_call *call)
{
    ENC_CHECK(!call->is_answered);
    call->is_answered = true;
    call->peer->outstanding--;
    call->loop->call_count--;
    enc_peer_drop(call->peer);
    enc_metric_add(ENC_METRIC_CALLS_OPEN, -1);
}

static void count(const struct enc_call *call, uint16_t status, struct enc_route_place place)
{
    if (call->req)
        enc_ticket_of(call->req)->place = place;
    struct enc_request_fact fact = {
        .place = place,
        .protocol = call->is_h2 ? ENC_PROTOCOL_H2 : ENC_PROTOCOL_H1,
        .status = status,
        .took_ns = enc_process_now_ns() - call->arrived_ns,
    };
    enc_host_count_request(call->loop->server->host, &fact);
}

uint64_t enc_call_arrived_ns(const struct enc_call *call)
{
    return call->arrived_ns;
}

static void deliver(struct enc_loop *loop, struct enc_task *task)
{
    (void)loop;
    struct enc_call *call = (struct enc_call *)task;
    settle(call);
    count(call, call->reply.status, call->reply.place);
    if (call->req)
        enc_respond_coded(call->req, &call->reply,
                          &call->coded); /* may end the request, and the call with it */
    else
        free_call(call);
}

/* On the thread that made the answer, so that the loop goes on meanwhile. */
static void code(struct enc_call *call)
{
    const struct enc_reply *reply = &call->reply;
    uint64_t min = call->loop->server->config->compress_min;
    if (!reply->is_public || min == 0 || reply->body.len < min)
        return;
    call->coded.is_possible = true;
    if (call->coding == ENC_CODING_NONE)
        return;
    call->coded.data = enc_coding_write(&call->coded.len, call->coding, reply->body);
    call->coded.name = enc_coding_name(call->coding);
}

void enc_call_reply(struct enc_call *call, const struct enc_reply *reply)
{
    call->reply = *reply;
    code(call);
    call->task.run = deliver;
    enc_loop_post(call->loop, &call->task);
}

void enc_call_withdraw(struct enc_call *call, uint16_t status, const struct enc_ws_place *place)
{
    count(call, status, (struct enc_route_place){place->service, place->route, true});
    settle(call);
    if (!call->req)
        free_call(call);
}
