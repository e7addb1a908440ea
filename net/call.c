#include "net/call.h"

#include "net/metric.h"
#include "net/respond.h"

#include <stdlib.h>

struct enc_call {
    struct enc_task task; /* first: the answer's way to the loop */
    struct enc_loop *loop;
    struct enc_peer *peer;
    h2o_req_t *req; /* NULL once the request is gone; loop thread only */
    bool is_answered;
    struct enc_reply reply;
};

static void free_call(struct enc_call *call)
{
    if (call->reply.release)
        call->reply.release(call->reply.owner);
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

struct enc_call *enc_call_open(h2o_req_t *req, struct enc_peer *peer)
{
    struct enc_call *call = enc_net_new(sizeof *call);
    call->loop = peer->loop;
    call->peer = peer;
    call->req = req;
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

static void deliver(struct enc_loop *loop, struct enc_task *task)
{
    (void)loop;
    struct enc_call *call = (struct enc_call *)task;
    settle(call);
    if (call->req)
        enc_respond(call->req, &call->reply); /* may end the request, and the call with it */
    else
        free_call(call);
}

void enc_call_reply(struct enc_call *call, const struct enc_reply *reply)
{
    call->reply = *reply;
    call->task.run = deliver;
    enc_loop_post(call->loop, &call->task);
}

void enc_call_withdraw(struct enc_call *call)
{
    settle(call);
}
