#include "services/enclave.h"
#include "services/host.h"

#include <criterion/criterion.h>

TestSuite(enclave);

Test(enclave, enc_node_has_the_seven_fields_of_the_seed)
{
    cr_assert_null(ENC_SERVICE_NODE.enclave.schema.fixed_json);
    cr_assert(!ENC_SERVICE_NODE.enclave.has_dataview);
    cr_assert(ENC_SERVICE_NODE.enclave.has_push);
    cr_assert(!ENC_SERVICE_NODE.enclave.has_bootstrap);
    cr_assert_eq(ENC_SERVICE_NODE.enclave.addressing.segment, 1);
    cr_assert(ENC_SERVICE_NODE.enclave.encrypted);
    cr_assert_eq(ENC_SERVICE_NODE.enclave.extra_routes.count, 2);
}

Test(enclave, routes_are_the_six_then_the_websocket_then_the_extras)
{
    static const struct {
        enum enc_method method;
        const char *path;
    } WANTED[] = {
        {ENC_METHOD_POST, "/"},
        {ENC_METHOD_GET, "/sth"},
        {ENC_METHOD_POST, "/inclusion"},
        {ENC_METHOD_POST, "/state"},
        {ENC_METHOD_GET, "/info/manifest"},
        {ENC_METHOD_GET, "/info/enclave"},
        {ENC_METHOD_GET, "/"},
        {ENC_METHOD_GET, "/consistency"},
        {ENC_METHOD_POST, "/bundle"},
    };
    const struct enc_route *rows[ENC_ROUTE_MAX];
    size_t count = enc_enclave_routes(&ENC_SERVICE_NODE.enclave, rows);
    cr_assert_eq(enc_protocol_routes().count, 6);
    cr_assert_eq(count, sizeof WANTED / sizeof WANTED[0]);
    for (size_t i = 0; i < count; i++) {
        cr_assert_eq(rows[i]->method, WANTED[i].method);
        cr_assert_str_eq(rows[i]->path, WANTED[i].path);
        cr_assert_eq(rows[i]->is_ws, i == 6);
    }
    for (size_t i = 0; i < count; i++)
        cr_assert_eq(rows[i]->is_ws + (rows[i]->handler != NULL) + (rows[i]->read != NULL), 1);
}

Test(enclave, tables_and_reads_follow_from_the_dataview)
{
    const char *names[ENC_TABLE_MAX];
    const struct enc_route *rows[ENC_ROUTE_MAX];
    cr_assert_eq(enc_enclave_tables(&ENC_SERVICE_NODE.enclave, names), 1);
    cr_assert_str_eq(names[0], "node");
    cr_assert_eq(enc_enclave_reads(&ENC_SERVICE_NODE.enclave, rows), 0);
    struct enc_enclave with_view = ENC_SERVICE_NODE.enclave;
    with_view.has_dataview = true;
    cr_assert_eq(enc_enclave_tables(&with_view, names), 2);
    cr_assert_str_eq(names[1], "sync_state");
    cr_assert_eq(enc_enclave_reads(&with_view, rows), 1, "the GET rows of the extras");
    cr_assert_str_eq(rows[0]->path, "/consistency");
}

Test(enclave, services_are_listed_with_enc_node_first)
{
    cr_assert_eq(enc_service_at(0), &ENC_SERVICE_NODE);
    cr_assert_str_eq(enc_service_at(0)->name, "enc-node");
}
