#include "services/gather.h"

#include "services/answer.h"
#include "services/inside.h"

/* What a client may have in flight, and some two hundred microseconds. */
enum { GATHERED_MAX = 64 };

void enc_gathered_submit(struct enc_exchange *list)
{
    struct enc_host *host = list->host;
    list->is_on_loop = false;
    enum enc_err err = enc_pool_submit(host->pool, &list->job);
    while (err != ENC_ERR_OK && list) {
        struct enc_exchange *next = list->together;
        enc_answer_err(list, err);
        list = next;
    }
}

void enc_host_end_turn(struct enc_host *host, struct enc_gathering *gathering)
{
    (void)host;
    struct enc_exchange *list = gathering->first;
    *gathering = (struct enc_gathering){.is_done_here = gathering->is_done_here};
    if (!list)
        return;
    list->is_on_loop = gathering->is_done_here;
    if (list->is_on_loop)
        list->job.run(&list->job);
    else
        enc_gathered_submit(list);
}

void enc_gather(struct enc_exchange *exchange, void (*fn)(struct enc_job *job))
{
    struct enc_gathering *gathering = exchange->gathering;
    exchange->job.run = fn;
    if (!gathering) {
        enc_gathered_submit(exchange);
        return;
    }
    if (gathering->last)
        gathering->last->together = exchange;
    else
        gathering->first = exchange;
    gathering->last = exchange;
    if (++gathering->count == GATHERED_MAX)
        enc_host_end_turn(exchange->host, gathering);
}
