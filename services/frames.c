#include "services/frames.h"

#include "services/answer.h"
#include "services/count.h"
#include "services/inside.h"

enum { CAST_LEN_MAX = 64 << 20 };

void enc_sub_passed(struct enc_sub *sub, uint64_t seq)
{
    if (sub->stored.reverse && seq == 0)
        sub->left = 0;
    else if (sub->stored.reverse)
        sub->stored.seq.last = seq - 1;
    else
        sub->stored.seq.first = seq + 1;
}

static void note_served(struct enc_sub *sub, const struct enc_event *event)
{
    const struct enc_filter_ids *ids = &sub->exchange->filter.ids;
    for (size_t i = 0; ids->is_set && i < ids->count; i++)
        sub->ids_served += memcmp(ids->items32[i], event->id32, 32) == 0;
}

static struct enc_bytes members_of(struct enc_arena *arena, const struct enc_element *element)
{
    struct enc_buffer buffer;
    struct enc_bytes members = {NULL, 0};
    enc_buffer_init(&buffer, arena, SIZE_MAX / 4);
    enc_element_put(&buffer, element);
    return enc_buffer_bytes(&buffer, &members) == ENC_ERR_OK ? members
                                                             : (struct enc_bytes){NULL, 0};
}

static enum enc_err put_sealed(struct enc_buffer *buffer, struct enc_sub *sub,
                               struct enc_arena *arena, struct enc_bytes members)
{
    uint8_t nonce24[24];
    const struct enc_runtime *runtime = sub->exchange->host->runtime;
    runtime->random(runtime->self, nonce24, sizeof nonce24);
    struct enc_sealing sealing = {
        .arena = arena,
        .channel = &sub->exchange->dress.sealed.channel,
        .nonce24 = nonce24,
    };
    return enc_wire_put_sealed_event(buffer, &sealing, sub->exchange->asker.sub_id, members);
}

/* The text of an Event frame; empty when memory is short. */
static struct enc_bytes text_of(struct enc_sub *sub, struct enc_arena *arena,
                                struct enc_bytes members)
{
    struct enc_buffer buffer;
    struct enc_bytes text = {NULL, 0};
    enc_buffer_init(&buffer, arena, SIZE_MAX / 4);
    if (!sub->exchange->dress.is_sealed)
        enc_wire_put_event(&buffer, sub->exchange->asker.sub_id, members);
    else if (put_sealed(&buffer, sub, arena, members) != ENC_ERR_OK)
        return text;
    return enc_buffer_bytes(&buffer, &text) == ENC_ERR_OK ? text : (struct enc_bytes){NULL, 0};
}

/* A frame that cannot be made would be a gap: rather no socket than a silent hole. */
static void send(struct enc_sub *sub, struct enc_bytes text, const struct enc_outgoing *marks)
{
    struct enc_exchange *exchange = sub->exchange;
    const struct enc_runtime *runtime = exchange->host->runtime;
    if (text.data)
        enc_send_marked(exchange->host, exchange->asker.conn, text, marks);
    else
        runtime->ws_close(runtime->self, exchange->asker.conn, 1011);
}

static struct enc_outgoing marks_of(const struct enc_sub *sub, const struct enc_event *event)
{
    return (struct enc_outgoing){.stream = sub->stream, .has_seq = true, .seq = event->seq};
}

size_t enc_sub_send_element(struct enc_sub *sub, const struct enc_element *element)
{
    struct enc_arena arena;
    enc_arena_init(&arena, &sub->exchange->host->chunks, CAST_LEN_MAX);
    struct enc_bytes members = members_of(&arena, element);
    struct enc_bytes text =
        members.data ? text_of(sub, &arena, members) : (struct enc_bytes){NULL, 0};
    struct enc_outgoing marks = marks_of(sub, element->event);
    send(sub, text, &marks);
    note_served(sub, element->event);
    enc_count(sub->exchange->host, ENC_COUNTED_EVENTS_SENT, 1);
    enc_arena_fini(&arena);
    return text.len;
}

static void send_small(struct enc_sub *sub, const struct enc_buffer *buffer, bool is_last)
{
    struct enc_bytes text;
    ENC_CHECK(enc_buffer_bytes(buffer, &text) == ENC_ERR_OK);
    send(sub, text, &(struct enc_outgoing){.stream = sub->stream, .is_last = is_last});
}

enum { SMALL_LEN = 2048 }; /* a frame with the longest sub_id, escaped */

void enc_sub_send_eose(struct enc_sub *sub)
{
    uint8_t memory[2 * SMALL_LEN];
    struct enc_arena arena;
    struct enc_buffer buffer;
    enc_arena_init_fixed(&arena, memory, sizeof memory);
    enc_buffer_init(&buffer, &arena, SMALL_LEN);
    enc_wire_put_eose(&buffer, sub->exchange->asker.sub_id);
    send_small(sub, &buffer, false);
}

void enc_sub_send_closed(struct enc_sub *sub, enum enc_closed reason)
{
    uint8_t memory[2 * SMALL_LEN];
    struct enc_arena arena;
    struct enc_buffer buffer;
    enc_arena_init_fixed(&arena, memory, sizeof memory);
    enc_buffer_init(&buffer, &arena, SMALL_LEN);
    enc_wire_put_closed(&buffer, sub->exchange->asker.sub_id, reason);
    send_small(sub, &buffer, true);
}

void enc_sub_ask_written(struct enc_sub *sub)
{
    const struct enc_runtime *runtime = sub->exchange->host->runtime;
    struct enc_outgoing mark = {.stream = sub->stream, .wants_ack = true};
    runtime->ws_send(runtime->self, sub->exchange->asker.conn, &mark);
}

bool enc_sub_is_public(const struct enc_sub *sub)
{
    const struct enc_exchange *exchange = sub->exchange;
    return !exchange->dress.is_sealed && !exchange->reader.is_known &&
           !enc_service_at(exchange->service)->is_opaque;
}

/* ---- one event, many subscriptions ---- */

void enc_cast_init(struct enc_cast *cast, struct enc_host *host, const struct enc_event *event)
{
    *cast = (struct enc_cast){.host = host, .event = event};
    enc_arena_init(&cast->arena, &host->chunks, CAST_LEN_MAX);
}

static struct enc_bytes cast_members(struct enc_cast *cast)
{
    struct enc_element element = {.event = cast->event, .status = ENC_EVENT_ACTIVE};
    if (!cast->members.data)
        cast->members = members_of(&cast->arena, &element);
    return cast->members;
}

static struct enc_frame *frame_of(const struct enc_buffer *buffer)
{
    struct enc_bytes text;
    return enc_buffer_bytes(buffer, &text) == ENC_ERR_OK ? enc_frame_new(text) : NULL;
}

static void make_rest(struct enc_cast *cast)
{
    struct enc_buffer buffer;
    struct enc_bytes members = cast_members(cast);
    enc_buffer_init(&buffer, &cast->arena, SIZE_MAX / 4);
    if (members.data)
        enc_wire_put_event_rest(&buffer, members);
    cast->rest = members.data ? frame_of(&buffer) : NULL;
}

static void make_lead(struct enc_cast *cast, struct enc_bytes sub_id)
{
    uint8_t memory[2 * SMALL_LEN];
    struct enc_arena arena;
    struct enc_buffer buffer;
    enc_arena_init_fixed(&arena, memory, sizeof memory);
    enc_buffer_init(&buffer, &arena, SMALL_LEN);
    enc_wire_put_event_lead(&buffer, sub_id);
    enc_frame_drop(cast->lead);
    cast->lead = frame_of(&buffer);
    cast->sub_id = sub_id;
}

static void send_shared(struct enc_cast *cast, struct enc_sub *sub)
{
    const struct enc_runtime *runtime = cast->host->runtime;
    struct enc_bytes sub_id = sub->exchange->asker.sub_id;
    if (!cast->rest)
        make_rest(cast);
    if (!cast->lead || !enc_bytes_equal(cast->sub_id, sub_id))
        make_lead(cast, sub_id);
    if (!cast->rest || !cast->lead) {
        runtime->ws_close(runtime->self, sub->exchange->asker.conn, 1011);
        return;
    }
    struct enc_outgoing out = marks_of(sub, cast->event);
    out.frame = enc_frame_hold(cast->lead);
    out.rest = enc_frame_hold(cast->rest);
    out.is_public = enc_sub_is_public(sub);
    runtime->ws_send(runtime->self, sub->exchange->asker.conn, &out);
}

static void send_sealed(struct enc_cast *cast, struct enc_sub *sub)
{
    struct enc_arena arena;
    struct enc_outgoing marks = marks_of(sub, cast->event);
    enc_arena_init(&arena, &cast->host->chunks, CAST_LEN_MAX);
    send(sub, text_of(sub, &arena, cast_members(cast)), &marks);
    enc_arena_fini(&arena);
}

void enc_cast_send(struct enc_cast *cast, struct enc_sub *sub)
{
    if (sub->exchange->dress.is_sealed)
        send_sealed(cast, sub);
    else
        send_shared(cast, sub);
    note_served(sub, cast->event);
    cast->sent++;
}

void enc_cast_fini(struct enc_cast *cast)
{
    enc_count(cast->host, ENC_COUNTED_EVENTS_SENT, cast->sent);
    enc_frame_drop(cast->lead);
    enc_frame_drop(cast->rest);
    enc_arena_fini(&cast->arena);
}
