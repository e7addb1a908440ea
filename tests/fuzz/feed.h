/** An input as a list of choices. Where it ends, every further choice is 0. */
#pragma once

#include "proto/base/bytes.h"

struct feed {
    const uint8_t *at;
    size_t left;
};

static inline struct feed feed_of(const uint8_t *data, size_t len)
{
    return (struct feed){.at = data, .left = len};
}

static inline uint8_t feed_u8(struct feed *feed)
{
    if (feed->left == 0)
        return 0;
    feed->left--;
    return *feed->at++;
}

/** 0..count-1 */
static inline unsigned feed_pick(struct feed *feed, unsigned count)
{
    return feed_u8(feed) % count;
}

static inline uint32_t feed_u32(struct feed *feed)
{
    uint32_t value = 0;
    for (unsigned i = 0; i < 4; i++)
        value = value << 8 | feed_u8(feed);
    return value;
}

static inline uint64_t feed_u64(struct feed *feed)
{
    uint64_t high = feed_u32(feed);
    return high << 32 | feed_u32(feed);
}

/** At most len bytes of what is left. */
static inline struct enc_bytes feed_bytes(struct feed *feed, size_t len)
{
    len = len < feed->left ? len : feed->left;
    struct enc_bytes out = enc_bytes_of(feed->at, len);
    feed->at += len;
    feed->left -= len;
    return out;
}

static inline struct enc_bytes feed_rest(struct feed *feed)
{
    return feed_bytes(feed, feed->left);
}
