#include "services/host.h"

#include "proto/json.h"

#include <criterion/criterion.h>

TestSuite(chat);

Test(chat, has_seven_fields_of_its_own)
{
    cr_assert_not_null(ENC_SERVICE_CHAT.enclave.schema.fixed_json);
    cr_assert(ENC_SERVICE_CHAT.enclave.has_bootstrap);
    cr_assert_not(ENC_SERVICE_CHAT.enclave.has_dataview || ENC_SERVICE_CHAT.enclave.has_push ||
                  ENC_SERVICE_CHAT.enclave.encrypted);
    cr_assert_eq(ENC_SERVICE_CHAT.enclave.addressing.segment, 1);
    cr_assert_eq(ENC_SERVICE_CHAT.enclave.extra_routes.count, 0);
}

Test(chat, routes_tables_and_reads_follow_from_them)
{
    const struct enc_route *rows[ENC_ROUTE_MAX];
    const char *tables[ENC_TABLE_MAX];
    cr_assert_eq(enc_enclave_routes(&ENC_SERVICE_CHAT.enclave, rows), 6 + 1 + 1);
    cr_assert_str_eq(rows[7]->name, "handleBootstrap");
    cr_assert_eq(enc_enclave_tables(&ENC_SERVICE_CHAT.enclave, tables), 1);
    cr_assert_eq(enc_enclave_reads(&ENC_SERVICE_CHAT.enclave, rows), 0);
}

Test(chat, its_schema_is_an_object_of_roles_and_rows)
{
    static uint8_t memory[1 << 16];
    struct enc_arena arena;
    struct enc_json *json = NULL;
    struct enc_json_facts facts;
    enc_arena_init_fixed(&arena, memory, sizeof memory);
    struct enc_bytes text = enc_bytes_of_text(ENC_SERVICE_CHAT.enclave.schema.fixed_json);
    cr_assert_eq(enc_json_parse(&json, &arena, text, &facts), ENC_ERR_OK);
    cr_assert_eq(json->count, 2);
    cr_assert_eq(enc_json_get(json, "roles")->count, 2);
    cr_assert_eq(enc_json_get(json, "schema")->count, 17);
}
