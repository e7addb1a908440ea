#include "services/frame.h"

#include <stdatomic.h>
#include <stdlib.h>

struct enc_frame {
    _Atomic uint32_t refs;
    size_t len;
    uint8_t data[];
};

struct enc_frame *enc_frame_new(struct enc_bytes bytes)
{
    struct enc_frame *frame = (struct enc_frame *)malloc(sizeof *frame + bytes.len);
    if (!frame)
        return NULL;
    atomic_init(&frame->refs, 1);
    frame->len = bytes.len;
    if (bytes.len)
        memcpy(frame->data, bytes.data, bytes.len);
    return frame;
}

struct enc_frame *enc_frame_hold(struct enc_frame *frame)
{
    /* relaxed: whoever holds a reference already sees the frame; only the count changes */
    atomic_fetch_add_explicit(&frame->refs, 1, memory_order_relaxed);
    return frame;
}

void enc_frame_drop(struct enc_frame *frame)
{
    /* acq_rel: reads of the payload by other holders happen before the free by the last one */
    if (frame && atomic_fetch_sub_explicit(&frame->refs, 1, memory_order_acq_rel) == 1)
        free(frame);
}

struct enc_bytes enc_frame_bytes(const struct enc_frame *frame)
{
    return enc_bytes_of(frame->data, frame->len);
}
