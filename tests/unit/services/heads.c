#include "services/heads.h"

#include <criterion/criterion.h>

TestSuite(heads);

static struct enc_sth head(uint64_t ts, uint8_t root, uint64_t t_ms)
{
    struct enc_sth sth = {.ts = ts, .t_ms = t_ms};
    memset(sth.r32, root, 32);
    memset(sth.sig64, (int)t_ms, 64);
    return sth;
}

static bool is_found(struct enc_heads *heads, uint8_t enclave, struct enc_sth wanted)
{
    uint8_t enclave32[32] = {[3] = enclave, [31] = enclave};
    struct enc_sth sth = wanted;
    sth.t_ms = 0;
    memset(sth.sig64, 0, 64);
    bool found = enc_heads_find(heads, &sth, enclave32);
    cr_assert(!found || memcmp(&sth, &wanted, sizeof sth) == 0);
    return found;
}

static void keep(struct enc_heads *heads, uint8_t enclave, struct enc_sth sth)
{
    uint8_t enclave32[32] = {[3] = enclave, [31] = enclave};
    enc_heads_keep(heads, &sth, enclave32);
}

Test(heads, what_was_kept_is_found_for_its_enclave_size_and_root)
{
    struct enc_heads *heads = enc_heads_new();
    cr_assert(!is_found(heads, 0, head(0, 0, 0)), "nothing is kept yet");
    keep(heads, 1, head(5, 7, 100));
    cr_assert(is_found(heads, 1, head(5, 7, 100)));
    cr_assert(!is_found(heads, 2, head(5, 7, 100)));
    cr_assert(!is_found(heads, 1, head(6, 7, 100)));
    cr_assert(!is_found(heads, 1, head(5, 8, 100)));
    keep(heads, 1, head(6, 8, 101));
    cr_assert(is_found(heads, 1, head(6, 8, 101)), "the newest stands");
    enc_heads_free(heads);
}

/* Two enclaves of one entry: the second takes the place. */
Test(heads, an_entry_is_shared_by_turns)
{
    struct enc_heads *heads = enc_heads_new();
    uint8_t a32[32] = {[0] = 1}, b32[32] = {[0] = 2};
    struct enc_sth sth = head(1, 1, 1);
    enc_heads_keep(heads, &sth, a32);
    cr_assert(enc_heads_find(heads, &sth, a32));
    cr_assert(!enc_heads_find(heads, &sth, b32));
    enc_heads_keep(heads, &sth, b32);
    cr_assert(enc_heads_find(heads, &sth, b32));
    cr_assert(!enc_heads_find(heads, &sth, a32));
    enc_heads_free(heads);
}
