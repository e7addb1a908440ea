#include "services/frame.h"

#include <stdatomic.h>
#include <stdlib.h>

struct enc_frame {
    _Atomic uint32_t refs;
    _Atomic(struct enc_frame *) twin;
    size_t len;
    uint8_t data[];
};

struct enc_frame *enc_frame_new(struct enc_bytes bytes)
{
    struct enc_frame *frame = (struct enc_frame *)malloc(sizeof *frame + bytes.len);
    if (!frame)
        return NULL;
    atomic_init(&frame->refs, 1);
    atomic_init(&frame->twin, NULL);
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
    if (!frame || atomic_fetch_sub_explicit(&frame->refs, 1, memory_order_acq_rel) != 1)
        return;
    /* relaxed: nobody else is left, and what they did came before the last drop */
    enc_frame_drop(atomic_load_explicit(&frame->twin, memory_order_relaxed));
    free(frame);
}

struct enc_frame *enc_frame_twin(const struct enc_frame *frame)
{
    /* acquire: who sees the twin sees its bytes; pairs with enc_frame_twin_set */
    return atomic_load_explicit(&frame->twin, memory_order_acquire);
}

struct enc_frame *enc_frame_twin_set(struct enc_frame *frame, struct enc_frame *twin)
{
    struct enc_frame *other = NULL;
    /* release: the twin's bytes come before the twin; acquire: or another's bytes with it */
    if (atomic_compare_exchange_strong_explicit(&frame->twin, &other, twin, memory_order_release,
                                                memory_order_acquire))
        return twin;
    enc_frame_drop(twin);
    return other;
}

struct enc_bytes enc_frame_bytes(const struct enc_frame *frame)
{
    return enc_bytes_of(frame->data, frame->len);
}
