#include "proto/sha256.h"

#include "support.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>

static void expect_hash(struct enc_bytes message, const char *hex)
{
    uint8_t hash[32];
    enc_sha256(hash, message);
    expect_hex(enc_bytes_of(hash, 32), hex);
}

/* FIPS 180-4 examples. */
Test(sha256, published_answers)
{
    expect_hash(ENC_LIT(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    expect_hash(ENC_LIT("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    expect_hash(ENC_LIT("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    expect_hash(ENC_LIT("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
                        "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu"),
                "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1");
}

Test(sha256, a_million_letters)
{
    uint8_t *letters = (uint8_t *)malloc(1000000);
    memset(letters, 'a', 1000000);
    expect_hash(enc_bytes_of(letters, 1000000),
                "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    free(letters);
}

Test(sha256, nothing_at_all)
{
    uint8_t hash[32];
    expect_hash(enc_bytes_of(NULL, 0),
                "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    enc_sha256_parts(hash, NULL, 0);
    expect_hex(enc_bytes_of(hash, 32),
               "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

Test(sha256, keys_of_the_vectors_are_hashes_of_their_names)
{
    uint8_t hash[32];
    enc_sha256(hash, ENC_LIT("enc-vector-owner"));
    expect_vector(enc_bytes_of(hash, 32), "keys.owner_priv");
    enc_sha256(hash, vector_text("manifest_content"));
    expect_hex(enc_bytes_of(hash, 32),
               "501e4b5b6c78b72408ab4703751f2c2f830581e888a00009c108c952f847fe67");
}

Test(sha256, parts_hash_as_one_wherever_they_are_cut)
{
    uint8_t message[200], whole[32], pieces[32];
    for (size_t i = 0; i < sizeof message; i++)
        message[i] = (uint8_t)(i * 7);
    enc_sha256(whole, enc_bytes_of(message, sizeof message));
    for (size_t cut = 0; cut <= sizeof message; cut++) {
        const struct enc_bytes parts[] = {enc_bytes_of(message, cut),
                                          {NULL, 0},
                                          enc_bytes_of(message + cut, sizeof message - cut)};
        enc_sha256_parts(pieces, parts, 3);
        cr_assert_arr_eq(whole, pieces, 32, "cut at %zu", cut);
    }
}

/* RFC 5869, test case 3: no salt, no info. */
Test(sha256, hkdf_published_answer)
{
    uint8_t ikm[22], out[42];
    memset(ikm, 0x0b, sizeof ikm);
    enc_hkdf(out, sizeof out, enc_bytes_of(ikm, sizeof ikm), enc_bytes_of(NULL, 0));
    expect_hex(enc_bytes_of(out, sizeof out),
               "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"
               "9d201395faa4b61a96c8");
}

Test(sha256, hkdf_labels_of_the_vectors)
{
    uint8_t shared[32], key[32];
    vector_hex(shared, 32, "session.shared_x");
    enc_hkdf32(key, shared, "enc:query");
    expect_vector(enc_bytes_of(key, 32), "session.key_query");
    enc_hkdf32(key, shared, "enc:response");
    expect_vector(enc_bytes_of(key, 32), "session.key_response");
    vector_hex(shared, 32, "push.shared_x");
    enc_hkdf32(key, shared, "enc:push");
    expect_vector(enc_bytes_of(key, 32), "push.key_push");
}

Test(sha256, hkdf_longer_than_its_bound_aborts, .signal = SIGABRT)
{
    static uint8_t out[255 * 32 + 1];
    enc_hkdf(out, sizeof out, ENC_LIT("key"), ENC_LIT(""));
}

Test(sha256, hkdf_as_long_as_its_bound)
{
    static uint8_t out[255 * 32];
    uint8_t first[32];
    enc_hkdf(out, sizeof out, ENC_LIT("key"), ENC_LIT("label"));
    enc_hkdf(first, sizeof first, ENC_LIT("key"), ENC_LIT("label"));
    cr_assert_arr_eq(out, first, sizeof first);
}
