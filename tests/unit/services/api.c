#include "services/api.h"

#include "proto/base/arena.h"
#include "proto/json.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const MOUNTS[] = {"/", "/chat", "//chat.example.org/"};
enum { MOUNT_COUNT = sizeof MOUNTS / sizeof MOUNTS[0], LEN_MAX = 1 << 18 };

static struct enc_chunk *take(void *self, size_t len)
{
    (void)self;
    size_t want = len > 65536 ? len : 65536;
    struct enc_chunk *chunk = malloc(want);
    chunk->len = want;
    return chunk;
}

static void give(void *self, struct enc_chunk *list)
{
    (void)self;
    while (list) {
        struct enc_chunk *next = list->next;
        free(list);
        list = next;
    }
}

typedef void put_fn(struct enc_buffer *out, const struct enc_api *api);

/* The document as jansson reads it, which is not our parser. */
static json_t *document(put_fn *put, size_t service, const char *mount)
{
    struct enc_chunk_source chunks = {.take = take, .give = give};
    struct enc_arena arena;
    struct enc_buffer buffer;
    struct enc_bytes text;
    json_error_t error;
    enc_arena_init(&arena, &chunks, LEN_MAX * 4);
    enc_buffer_init(&buffer, &arena, LEN_MAX);
    put(&buffer, &(struct enc_api){enc_service_at(service), mount, "1.2.3"});
    cr_assert_eq(enc_buffer_bytes(&buffer, &text), ENC_ERR_OK);
    json_t *json = json_loadb((const char *)text.data, text.len, JSON_REJECT_DUPLICATES, &error);
    cr_assert_not_null(json, "%s at %d", error.text, error.position);
    enc_arena_fini(&arena);
    return json;
}

Test(api, every_route_of_every_service_has_a_row)
{
    const struct enc_route *rows[ENC_ROUTE_MAX];
    for (size_t i = 0; i < enc_service_count(); i++) {
        size_t count = enc_service_routes(enc_service_at(i), rows);
        for (size_t j = 0; j < count; j++)
            cr_expect_not_null(enc_api_route_of(rows[j]->name), "%s %s", enc_service_at(i)->name,
                               rows[j]->name);
    }
    cr_expect_null(enc_api_route_of("handleNothing"));
}

/* Where a $ref points to; NULL: nowhere. */
static const json_t *resolve(const json_t *root, const char *ref)
{
    char path[256];
    cr_assert_eq(strncmp(ref, "#/", 2), 0, "%s", ref);
    snprintf(path, sizeof path, "%s", ref + 2);
    for (char *word = strtok(path, "/"); word && root; word = strtok(NULL, "/"))
        root = json_object_get(root, word);
    return root;
}

static size_t check_refs(const json_t *root, const json_t *at)
{
    size_t count = 0;
    size_t i;
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)at, key, value)
    {
        if (strcmp(key, "$ref") == 0) {
            cr_expect_not_null(resolve(root, json_string_value(value)), "%s",
                               json_string_value(value));
            count++;
        }
        count += check_refs(root, value);
    }
    json_array_foreach(at, i, value) count += check_refs(root, value);
    return count;
}

Test(api, every_reference_leads_somewhere)
{
    static put_fn *const PUTS[] = {enc_api_put_openapi, enc_api_put_asyncapi};
    for (size_t i = 0; i < enc_service_count() * 2; i++) {
        json_t *json = document(PUTS[i % 2], i / 2, "/");
        cr_expect_gt(check_refs(json, json), 50);
        json_decref(json);
    }
}

/* Operations of a document, and whether each path names the parameters it has. */
static size_t operations(const json_t *json)
{
    size_t count = 0;
    const char *path;
    const char *method;
    json_t *item;
    json_t *operation;
    json_object_foreach(json_object_get(json, "paths"), path, item)
    {
        json_object_foreach(item, method, operation)
        {
            size_t named = 0;
            size_t i;
            json_t *parameter;
            count++;
            json_array_foreach(json_object_get(operation, "parameters"), i, parameter) named +=
                strcmp(json_string_value(json_object_get(parameter, "in")), "path") == 0;
            size_t braces = 0;
            for (const char *c = path; *c; c++)
                braces += *c == '{';
            cr_expect_eq(named, braces, "%s %s", method, path);
        }
    }
    return count;
}

Test(api, every_route_is_an_operation_at_its_place)
{
    const struct enc_route *rows[ENC_ROUTE_MAX];
    for (size_t i = 0; i < enc_service_count(); i++) {
        const struct enc_service *service = enc_service_at(i);
        size_t count = enc_service_routes(service, rows);
        /* The two rows of "/" are at the mount and below an enclave. */
        size_t wanted = count + (service->enclave.addressing.segment ? 2 : 0);
        json_t *json = document(enc_api_put_openapi, i, "/");
        cr_expect_eq(operations(json), wanted, "%s", service->name);
        json_decref(json);
    }
}

Test(api, the_server_is_the_mount)
{
    static const char *const URLS[MOUNT_COUNT] = {"/", "/chat", "//chat.example.org"};
    for (size_t i = 0; i < MOUNT_COUNT; i++) {
        json_t *json = document(enc_api_put_openapi, 0, MOUNTS[i]);
        const json_t *server = json_array_get(json_object_get(json, "servers"), 0);
        cr_expect_str_eq(json_string_value(json_object_get(server, "url")), URLS[i]);
        json_decref(json);
    }
}

Test(api, a_singleton_has_no_channel_below_an_enclave)
{
    for (size_t i = 0; i < enc_service_count(); i++) {
        json_t *json = document(enc_api_put_asyncapi, i, "/");
        bool has = json_object_get(json_object_get(json, "channels"), "enclave") != NULL;
        cr_expect_eq(has, enc_service_at(i)->enclave.addressing.segment != 0);
        json_decref(json);
    }
}
