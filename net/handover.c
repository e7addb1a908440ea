#include "net/handover.h"

#include "net/log.h"

#include <errno.h>
#include <unistd.h>

void enc_handover_init(struct enc_handover *handover, uv_loop_t *uv, const struct enc_usher *usher,
                       enc_handover_fn *done, void *opaque)
{
    *handover =
        (struct enc_handover){.uv = uv, .done = done, .opaque = opaque, .usher = usher, .pid = -1};
}

static void close_pipe(uv_handle_t *poll)
{
    struct enc_handover *handover = poll->data;
    close(handover->ready_fd);
}

static void stop_waiting(struct enc_handover *handover)
{
    uv_poll_stop(&handover->poll);
    uv_close((uv_handle_t *)&handover->poll, close_pipe);
    handover->is_waiting = false;
}

/* It closed its end without a word: whatever it is, it is not going to take over. */
static void give_up(struct enc_handover *handover)
{
    enc_usher_end(handover->usher);
    enc_log(SUCCESSOR_FAILED);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct enc_handover *handover = poll->data;
    char byte;
    ssize_t got = status == 0 ? read(handover->ready_fd, &byte, 1) : 0;
    (void)events;
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    stop_waiting(handover);
    if (got == 1)
        handover->done(handover->opaque);
    else
        give_up(handover);
}

static bool start(struct enc_handover *handover, const struct enc_server *server)
{
    struct enc_legacy legacy = {.count = 0};
    if (!enc_server_bequeath(server, &legacy)) {
        errno = EMFILE;
        return false;
    }
    handover->pid = enc_usher_start(handover->usher, &legacy, &handover->ready_fd);
    return handover->pid > 0;
}

void enc_handover_start(struct enc_handover *handover, const struct enc_server *server)
{
    if (handover->is_waiting)
        return;
    if (!start(handover, server)) {
        enc_log(NO_SUCCESSOR, enc_log_text("why", strerror(errno)));
        return;
    }
    enc_log(SUCCESSOR_STARTED, enc_log_number("pid", (uint64_t)handover->pid));
    ENC_CHECK(uv_poll_init(handover->uv, &handover->poll, handover->ready_fd) == 0);
    handover->poll.data = handover;
    handover->is_waiting = true;
    uv_poll_start(&handover->poll, UV_READABLE, on_readable);
}

void enc_handover_fini(struct enc_handover *handover)
{
    if (handover->is_waiting)
        stop_waiting(handover);
}
