#include "tests/fuzz/fuzz.h"

#include "tests/fuzz/naive/hash.h"

#include <stdio.h>
#include <stdlib.h>

const struct enc_curve *fuzz_curve(void)
{
    static struct enc_curve *curve;
    static const uint8_t SEED32[32] = {1};
    if (curve)
        return curve;
    size_t len = (enc_curve_size() + 15) / 16 * 16;
    curve = enc_curve_init(aligned_alloc(16, len), SEED32);
    ENC_CHECK(curve != NULL);
    return curve;
}

const struct enc_key *fuzz_key(unsigned number)
{
    static struct enc_key keys[FUZZ_KEYS];
    static bool are_made[FUZZ_KEYS];
    uint8_t priv32[32];
    char name[16];
    ENC_CHECK(number < FUZZ_KEYS);
    if (!are_made[number]) {
        snprintf(name, sizeof name, "enc-fuzz-%u", number);
        naive_sha256(priv32, enc_bytes_of_text(name));
        ENC_CHECK(enc_key_init(&keys[number], fuzz_curve(), priv32));
        are_made[number] = true;
    }
    return &keys[number];
}
