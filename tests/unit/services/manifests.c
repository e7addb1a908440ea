#include "services/manifests.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

TestSuite(manifests);

static size_t chunks_out;

static struct enc_chunk *take_chunk(void *self, size_t len)
{
    (void)self;
    struct enc_chunk *chunk = (struct enc_chunk *)aligned_alloc(16, (len + 15) & ~(size_t)15);
    chunk->len = (len + 15) & ~(size_t)15;
    chunks_out++;
    return chunk;
}

static void give_chunks(void *self, struct enc_chunk *list)
{
    (void)self;
    while (list) {
        struct enc_chunk *next = list->next;
        free(list);
        list = next;
        chunks_out--;
    }
}

static const struct enc_chunk_source CHUNKS = {take_chunk, give_chunks, NULL};

static const char OWNER[] = "f9308a019258c31049344f85f89d5229b531c845836f99b08601f113bce036f9";

static char text[1 << 18];

/* A Manifest that is told apart by the size of its bundles, with a filler of that many bytes. */
static struct enc_bytes content(unsigned size, int filler_len)
{
    int len = snprintf(text, sizeof text,
                       "{\"enc_v\":1,\"RBAC\":{\"roles\":[\"R\"],\"schema\":[{\"event\":\"Post\","
                       "\"role\":\"R\",\"ops\":[\"C\"]}],\"initial_state\":{\"Owner\":[\"%s\"]}},"
                       "\"bundle\":{\"size\":%u,\"timeout\":0},\"meta\":{\"x\":\"%0*d\"}}",
                       OWNER, size, filler_len, 0);
    return enc_bytes_of(text, (size_t)len);
}

static void id_of(uint8_t enclave32[32], uint32_t number)
{
    memset(enclave32, 0, 32);
    enc_be32_put(enclave32, number);
    enclave32[31] = (uint8_t)(number >> 10);
}

static struct enc_held_manifest *add(struct enc_manifests *manifests, uint32_t number)
{
    uint8_t enclave32[32];
    struct enc_held_manifest *held = NULL;
    id_of(enclave32, number);
    cr_assert_eq(enc_manifests_add(manifests, &held, enclave32, content(number + 1, 1)),
                 ENC_ERR_OK);
    return held;
}

static struct enc_held_manifest *find(struct enc_manifests *manifests, uint32_t number)
{
    uint8_t enclave32[32];
    id_of(enclave32, number);
    return enc_manifests_find(manifests, enclave32);
}

Test(manifests, what_was_added_is_found_and_nothing_else)
{
    struct enc_manifests *manifests = enc_manifests_new(&CHUNKS);
    cr_assert_null(find(manifests, 5));
    enc_held_manifest_drop(add(manifests, 5));
    memset(text, 'x', sizeof text); /* nothing is borrowed */
    struct enc_held_manifest *held = find(manifests, 5);
    cr_assert_not_null(held);
    cr_assert_eq(enc_held_manifest(held)->bundle_size, 6);
    cr_assert(enc_bytes_is(enc_held_manifest(held)->roles[0], "R"));
    cr_assert_null(find(manifests, 6));
    cr_assert_null(find(manifests, 5 + 1024), "another enclave of the same entry");
    enc_held_manifest_drop(held);
    enc_manifests_free(manifests);
    cr_assert_eq(chunks_out, 0);
}

Test(manifests, one_that_is_held_outlives_its_place_and_the_cache)
{
    struct enc_manifests *manifests = enc_manifests_new(&CHUNKS);
    struct enc_held_manifest *first = add(manifests, 7);
    enc_held_manifest_drop(add(manifests, 7 + 1024)); /* takes the place */
    cr_assert_null(find(manifests, 7));
    struct enc_held_manifest *second = find(manifests, 7 + 1024);
    enc_manifests_free(manifests);
    cr_assert_eq(enc_held_manifest(first)->bundle_size, 8);
    cr_assert_eq(enc_held_manifest(second)->bundle_size, 8 + 1024);
    enc_held_manifest_drop(first);
    enc_held_manifest_drop(second);
    enc_held_manifest_drop(NULL);
    cr_assert_eq(chunks_out, 0);
}

Test(manifests, what_is_no_manifest_is_refused_and_what_is_large_is_not_kept)
{
    uint8_t enclave32[32];
    struct enc_held_manifest *held = NULL;
    struct enc_manifests *manifests = enc_manifests_new(&CHUNKS);
    id_of(enclave32, 9);
    cr_assert_eq(enc_manifests_add(manifests, &held, enclave32, ENC_LIT("{}")),
                 ENC_ERR_INVALID_MANIFEST);
    cr_assert_null(enc_manifests_find(manifests, enclave32));
    cr_assert_eq(enc_manifests_add(manifests, &held, enclave32, content(3, 100000)), ENC_ERR_OK);
    cr_assert_eq(enc_held_manifest(held)->bundle_size, 3);
    cr_assert_null(enc_manifests_find(manifests, enclave32));
    enc_held_manifest_drop(held);
    enc_manifests_free(manifests);
    cr_assert_eq(chunks_out, 0);
}
