#include "proto/cbor.h"

#include "proto/sha256.h"
#include "support.h"

#include <criterion/criterion.h>
#include <signal.h>

static struct enc_buffer fresh_buffer(void)
{
    struct enc_buffer buffer;
    enc_buffer_init(&buffer, fresh_arena(4 << 20), 1 << 20);
    return buffer;
}

static struct enc_bytes written(const struct enc_buffer *buffer)
{
    struct enc_bytes bytes;
    cr_assert_eq(enc_buffer_bytes(buffer, &bytes), ENC_ERR_OK);
    return bytes;
}

static const struct {
    uint64_t value;
    const char *argument; /* what RFC 8949 3 makes of it, with major type 0 */
} HEADS[] = {
    {0, "00"},
    {1, "01"},
    {0x10, "10"},
    {0x12, "12"},
    {23, "17"},
    {24, "1818"},
    {0x20, "1820"},
    {0x21, "1821"},
    {255, "18ff"},
    {256, "190100"},
    {65535, "19ffff"},
    {65536, "1a00010000"},
    {UINT32_MAX, "1affffffff"},
    {(uint64_t)UINT32_MAX + 1, "1b0000000100000000"},
    {1750000062000, "1b000001977421ce30"},
    {UINT64_MAX, "1bffffffffffffffff"},
};

Test(cbor, unsigned_integers_are_shortest)
{
    for (size_t i = 0; i < sizeof HEADS / sizeof *HEADS; i++) {
        struct enc_buffer buffer = fresh_buffer();
        enc_cbor_uint(&buffer, HEADS[i].value);
        expect_hex(written(&buffer), HEADS[i].argument);
    }
}

Test(cbor, array_heads_are_shortest)
{
    for (size_t i = 0; i < sizeof HEADS / sizeof *HEADS; i++) {
        uint8_t want[9];
        size_t len = strlen(HEADS[i].argument) / 2;
        struct enc_buffer buffer = fresh_buffer();
        unhex(want, len, HEADS[i].argument);
        want[0] |= 0x80;
        enc_cbor_array(&buffer, HEADS[i].value);
        cr_assert(enc_bytes_equal(written(&buffer), enc_bytes_of(want, len)));
    }
}

typedef void add_string(struct enc_buffer *, struct enc_bytes);

static void expect_string(add_string *add, uint8_t major, struct enc_bytes bytes, const char *head)
{
    uint8_t want[5];
    size_t len = strlen(head) / 2;
    struct enc_buffer buffer = fresh_buffer();
    unhex(want, len, head);
    want[0] |= major;
    add(&buffer, bytes);
    struct enc_bytes got = written(&buffer);
    cr_assert(enc_bytes_equal(enc_bytes_of(got.data, len), enc_bytes_of(want, len)), "%s", head);
    cr_assert(enc_bytes_equal(enc_bytes_of(got.data + len, got.len - len), bytes), "%s", head);
}

Test(cbor, strings)
{
    static uint8_t content[65536];
    static const struct {
        size_t len;
        const char *head;
    } ROWS[] = {{0, "00"},       {1, "01"},         {21, "15"},           {23, "17"},
                {24, "1818"},    {32, "1820"},      {64, "1840"},         {255, "18ff"},
                {256, "190100"}, {65535, "19ffff"}, {65536, "1a00010000"}};
    for (size_t i = 0; i < sizeof content; i++)
        content[i] = (uint8_t)i;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        expect_string(enc_cbor_bytes, 0x40, enc_bytes_of(content, ROWS[i].len), ROWS[i].head);
        expect_string(enc_cbor_text, 0x60, enc_bytes_of(content, ROWS[i].len), ROWS[i].head);
    }
    expect_string(enc_cbor_text, 0x60, ENC_LIT("h\xc3\xa9"), "03");
}

/* ---- pre-images of section 13 ---- */

static void add_vector(struct enc_buffer *buffer, size_t len, const char *path)
{
    uint8_t bytes[64];
    vector_hex(bytes, len, path);
    enc_cbor_bytes(buffer, enc_bytes_of(bytes, len));
}

static void add_hash(struct enc_buffer *buffer, struct enc_bytes content)
{
    uint8_t hash[32];
    enc_sha256(hash, content);
    enc_cbor_bytes(buffer, enc_bytes_of(hash, 32));
}

static void expect_image(const struct enc_buffer *buffer, const char *image, const char *hash)
{
    uint8_t got[32];
    expect_vector(written(buffer), image);
    enc_sha256(got, written(buffer));
    expect_vector(enc_bytes_of(got, 32), hash);
}

Test(cbor, preimage_of_a_commit)
{
    struct enc_buffer buffer = fresh_buffer();
    enc_cbor_array(&buffer, 7);
    enc_cbor_uint(&buffer, 0x10);
    add_vector(&buffer, 32, "events.2.enclave");
    add_vector(&buffer, 32, "events.2.from");
    enc_cbor_text(&buffer, vector_text("events.2.type"));
    add_hash(&buffer, vector_text("events.2.content"));
    enc_cbor_uint(&buffer, vector_u64("events.2.exp"));
    enc_cbor_array(&buffer, 1);
    enc_cbor_array(&buffer, 2);
    enc_cbor_text(&buffer, vector_text("events.2.tags.0.0"));
    enc_cbor_text(&buffer, vector_text("events.2.tags.0.1"));
    expect_image(&buffer, "preimages.commit_hash[2]", "events.2.hash");
}

Test(cbor, preimage_of_an_enclave_id)
{
    struct enc_buffer buffer = fresh_buffer();
    enc_cbor_array(&buffer, 5);
    enc_cbor_uint(&buffer, 0x12);
    add_vector(&buffer, 32, "events.0.from");
    enc_cbor_text(&buffer, ENC_LIT("Manifest"));
    add_hash(&buffer, vector_text("manifest_content"));
    enc_cbor_array(&buffer, 0);
    expect_image(&buffer, "preimages.enclave_id", "events.0.enclave");
}

Test(cbor, preimage_of_an_event)
{
    struct enc_buffer buffer = fresh_buffer();
    enc_cbor_array(&buffer, 5);
    enc_cbor_uint(&buffer, 0x11);
    enc_cbor_uint(&buffer, vector_u64("events.2.timestamp"));
    enc_cbor_uint(&buffer, vector_u64("events.2.seq"));
    add_vector(&buffer, 32, "events.2.sequencer");
    add_vector(&buffer, 64, "events.2.sig");
    expect_image(&buffer, "preimages.event_hash[2]", "events.2.event_hash");
}

/* ---- hashes of the trees ---- */

static void pair_of(uint8_t out[32], uint8_t prefix, const uint8_t left[32],
                    const uint8_t right[32])
{
    struct enc_buffer buffer = fresh_buffer();
    enc_cbor_array(&buffer, 3);
    enc_cbor_uint(&buffer, prefix);
    enc_cbor_bytes(&buffer, enc_bytes_of(left, 32));
    enc_cbor_bytes(&buffer, enc_bytes_of(right, 32));
    enc_sha256(out, written(&buffer));
}

Test(cbor, pairs_of_every_prefix_hash_as_their_preimage)
{
    uint8_t left[32], right[32], got[32], want[32];
    enc_sha256(left, ENC_LIT("left"));
    enc_sha256(right, ENC_LIT("right"));
    for (unsigned prefix = 0; prefix < 256; prefix++) {
        enc_h_pair(got, (uint8_t)prefix, left, right);
        pair_of(want, (uint8_t)prefix, left, right);
        cr_assert_arr_eq(got, want, 32, "prefix %u", prefix);
    }
}

Test(cbor, a_pair_may_overwrite_its_input)
{
    uint8_t left[32], right[32], want[32];
    enc_sha256(left, ENC_LIT("left"));
    enc_sha256(right, ENC_LIT("right"));
    enc_h_pair(want, 0x21, left, right);
    enc_h_pair(left, 0x21, left, right);
    cr_assert_arr_eq(left, want, 32);
}

Test(cbor, bundle_and_log_of_the_vectors)
{
    uint8_t ids[4][32], root[32], state[32], leaf[32];
    for (size_t i = 0; i < 4; i++) {
        char path[32];
        snprintf(path, sizeof path, "events.%zu.id", i);
        vector_hex(ids[i], 32, path);
    }
    enc_h_pair(ids[0], 0x01, ids[0], ids[1]);
    enc_h_pair(ids[2], 0x01, ids[2], ids[3]);
    enc_h_pair(root, 0x01, ids[0], ids[2]);
    expect_vector(enc_bytes_of(root, 32), "bundle0.events_root");
    vector_hex(state, 32, "bundle0.state_hash");
    enc_h_pair(leaf, 0x00, root, state);
    expect_vector(enc_bytes_of(leaf, 32), "bundle0.ct_leaf");
}

Test(cbor, leaf_of_the_vectors)
{
    uint8_t key[21], value[32] = {0}, leaf[32];
    vector_hex(key, 21, "smt.key_owner");
    value[31] = 2;
    enc_h_smt_leaf(leaf, key, enc_bytes_of(value, 32));
    expect_vector(enc_bytes_of(leaf, 32), "smt.leaf_owner");
}

Test(cbor, leaves_of_every_length_hash_as_their_preimage)
{
    uint8_t key[21] = {1, 2, 3}, value[ENC_SMT_VALUE_LEN_MAX] = {0}, got[32], want[32];
    for (size_t len = 0; len <= sizeof value; len++) {
        struct enc_buffer buffer = fresh_buffer();
        enc_cbor_array(&buffer, 3);
        enc_cbor_uint(&buffer, 0x20);
        enc_cbor_bytes(&buffer, enc_bytes_of(key, 21));
        enc_cbor_bytes(&buffer, enc_bytes_of(value, len));
        enc_sha256(want, written(&buffer));
        enc_h_smt_leaf(got, key, enc_bytes_of(len ? value : NULL, len));
        cr_assert_arr_eq(got, want, 32, "length %zu", len);
    }
}

Test(cbor, a_longer_leaf_aborts, .signal = SIGABRT)
{
    uint8_t key[21] = {0}, value[ENC_SMT_VALUE_LEN_MAX + 1] = {0}, out[32];
    enc_h_smt_leaf(out, key, enc_bytes_of(value, sizeof value));
}

Test(cbor, an_exhausted_buffer_says_so)
{
    struct enc_bytes bytes;
    struct enc_buffer buffer;
    enc_buffer_init(&buffer, fresh_arena(1 << 16), 10);
    enc_cbor_bytes(&buffer, ENC_LIT("0123456789"));
    cr_assert_eq(enc_buffer_bytes(&buffer, &bytes), ENC_ERR_TOO_LARGE);
}
