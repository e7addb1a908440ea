#include "services/gather.h"

#include "services/answer.h"
#include "services/inside.h"

/* Half of what a client may have in flight, and some fifty microseconds of a worker. */
enum { GATHERED_MAX = 16 };

static void leave(struct enc_host *host, struct enc_exchange *list)
{
    enum enc_err err = enc_pool_submit(host->pool, &list->job);
    while (err != ENC_ERR_OK && list) {
        struct enc_exchange *next = list->together;
        enc_answer_err(list, err);
        list = next;
    }
}

void enc_host_end_turn(struct enc_host *host, struct enc_gathering *gathering)
{
    struct enc_exchange *list = gathering->first;
    *gathering = (struct enc_gathering){.first = NULL};
    if (list)
        leave(host, list);
}

void enc_gather(struct enc_exchange *exchange, void (*fn)(struct enc_job *job))
{
    struct enc_gathering *gathering = exchange->gathering;
    exchange->job.run = fn;
    if (!gathering) {
        leave(exchange->host, exchange);
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
