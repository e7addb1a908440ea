#include "proto/record.h"

enum { VERSION = 1, FLAG_ERASED = 1 };

static void put_byte(struct enc_buffer *buffer, size_t value)
{
    uint8_t byte = (uint8_t)value;
    enc_buffer_add(buffer, enc_bytes_of(&byte, 1));
}

static void put_u64(struct enc_buffer *buffer, uint64_t value)
{
    uint8_t bytes8[8];
    enc_be64_put(bytes8, value);
    enc_buffer_add(buffer, enc_bytes_of(bytes8, 8));
}

static void put_member(struct enc_buffer *buffer, struct enc_bytes member)
{
    put_byte(buffer, member.len >> 8);
    put_byte(buffer, member.len & 0xff);
    enc_buffer_add(buffer, member);
}

static void put_tag(struct enc_buffer *buffer, const struct enc_tag *tag)
{
    put_byte(buffer, tag->count);
    for (size_t i = 0; i < tag->count; i++)
        put_member(buffer, tag->members[i]);
}

static void put_tags(struct enc_buffer *buffer, const struct enc_tags *tags)
{
    put_byte(buffer, tags->count);
    for (size_t i = 0; i < tags->count; i++)
        put_tag(buffer, &tags->items[i]);
}

static void put_numbers(struct enc_buffer *buffer, const struct enc_event *event)
{
    put_u64(buffer, event->seq);
    put_u64(buffer, event->type_seq);
    put_u64(buffer, event->timestamp_ms);
    put_u64(buffer, event->bundle);
    put_u64(buffer, event->commit.exp_ms);
}

static void put_keys(struct enc_buffer *buffer, const struct enc_event *event)
{
    enc_buffer_add(buffer, enc_bytes_of(event->id32, 32));
    enc_buffer_add(buffer, enc_bytes_of(event->commit.hash32, 32));
    enc_buffer_add(buffer, enc_bytes_of(event->commit.enclave32, 32));
    enc_buffer_add(buffer, enc_bytes_of(event->commit.from32, 32));
    enc_buffer_add(buffer, enc_bytes_of(event->sequencer32, 32));
    enc_buffer_add(buffer, enc_bytes_of(event->commit.sig64, 64));
    enc_buffer_add(buffer, enc_bytes_of(event->seq_sig64, 64));
}

void enc_record_put(struct enc_buffer *buffer, const struct enc_event *event)
{
    const struct enc_commit *commit = &event->commit;
    ENC_CHECK(commit->type.len <= ENC_TYPE_LEN_MAX && enc_tags_are_bounded(&commit->tags));
    put_byte(buffer, VERSION);
    put_byte(buffer, event->is_erased ? FLAG_ERASED : 0);
    put_numbers(buffer, event);
    put_keys(buffer, event);
    put_byte(buffer, commit->type.len);
    enc_buffer_add(buffer, commit->type);
    put_tags(buffer, &commit->tags);
    enc_buffer_add(buffer,
                   event->is_erased ? enc_bytes_of(commit->content_hash32, 32) : commit->content);
}

/** What is left of a record; is_short once more was asked for than there is. */
struct reading {
    struct enc_bytes left;
    bool is_short;
};

static struct enc_bytes get(struct reading *reading, size_t len)
{
    struct enc_bytes taken = {reading->left.data, len};
    if (len > reading->left.len) {
        reading->is_short = true;
        reading->left.len = 0;
        return (struct enc_bytes){0};
    }
    reading->left.data += len;
    reading->left.len -= len;
    return taken;
}

static void get_into(struct reading *reading, uint8_t *out, size_t len)
{
    struct enc_bytes bytes = get(reading, len);
    if (bytes.len)
        memcpy(out, bytes.data, len);
}

static unsigned get_byte(struct reading *reading)
{
    uint8_t byte = 0;
    get_into(reading, &byte, 1);
    return byte;
}

static uint64_t get_u64(struct reading *reading)
{
    uint8_t bytes8[8] = {0};
    get_into(reading, bytes8, 8);
    return enc_be64_get(bytes8);
}

static void get_numbers(struct reading *reading, struct enc_event *out)
{
    out->seq = get_u64(reading);
    out->type_seq = get_u64(reading);
    out->timestamp_ms = get_u64(reading);
    out->bundle = get_u64(reading);
    out->commit.exp_ms = get_u64(reading);
}

static void get_keys(struct reading *reading, struct enc_event *out)
{
    get_into(reading, out->id32, 32);
    get_into(reading, out->commit.hash32, 32);
    get_into(reading, out->commit.enclave32, 32);
    get_into(reading, out->commit.from32, 32);
    get_into(reading, out->sequencer32, 32);
    get_into(reading, out->commit.sig64, 64);
    get_into(reading, out->seq_sig64, 64);
}

static enum enc_err get_tag(struct reading *reading, struct enc_tag *out, struct enc_arena *arena)
{
    unsigned count = get_byte(reading);
    if (count > ENC_TAG_MEMBER_COUNT_MAX)
        return ENC_ERR_INTERNAL;
    struct enc_bytes *members = ENC_ARENA_NEW(arena, struct enc_bytes, count);
    if (!members)
        return ENC_ERR_TOO_LARGE;
    *out = (struct enc_tag){.members = members, .count = count};
    for (unsigned i = 0; i < count; i++) {
        unsigned high = get_byte(reading);
        members[i] = get(reading, high << 8 | get_byte(reading));
    }
    return ENC_ERR_OK;
}

static enum enc_err get_tags(struct reading *reading, struct enc_tags *out, struct enc_arena *arena)
{
    unsigned count = get_byte(reading);
    struct enc_tag *items = ENC_ARENA_NEW(arena, struct enc_tag, count);
    if (!items)
        return ENC_ERR_TOO_LARGE;
    *out = (struct enc_tags){.items = items, .count = count};
    for (unsigned i = 0; i < count; i++)
        ENC_TRY(get_tag(reading, &items[i], arena));
    return enc_tags_are_bounded(out) ? ENC_ERR_OK : ENC_ERR_INTERNAL;
}

static enum enc_err get_head(struct reading *reading, struct enc_event *out)
{
    *out = (struct enc_event){.commit.has_hash = true};
    unsigned version = get_byte(reading);
    unsigned flags = get_byte(reading);
    get_numbers(reading, out);
    get_keys(reading, out);
    out->commit.type = get(reading, get_byte(reading));
    out->is_erased = flags == FLAG_ERASED;
    bool is_good = version == VERSION && flags <= FLAG_ERASED && !reading->is_short &&
                   enc_type_is_well_formed(out->commit.type);
    return is_good ? ENC_ERR_OK : ENC_ERR_INTERNAL;
}

enum enc_err enc_record_peek(struct enc_event *out, struct enc_bytes record)
{
    struct reading reading = {.left = record};
    return get_head(&reading, out);
}

enum enc_err enc_record_take(struct enc_event *out, struct enc_arena *arena,
                             struct enc_bytes record)
{
    struct reading reading = {.left = record};
    ENC_TRY(get_head(&reading, out));
    ENC_TRY(get_tags(&reading, &out->commit.tags, arena));
    if (out->is_erased)
        get_into(&reading, out->commit.content_hash32, 32);
    else
        out->commit.content = get(&reading, reading.left.len);
    bool is_whole = !reading.is_short && reading.left.len == 0 &&
                    out->commit.content.len <= ENC_CONTENT_LEN_MAX;
    return is_whole ? ENC_ERR_OK : ENC_ERR_INTERNAL;
}
