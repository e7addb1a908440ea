#include "services/router.h"
#include "services/host.h"

#include <criterion/criterion.h>
#include <stdio.h>

TestSuite(router);

#define ID "00112233445566778899AABBccddeeff00112233445566778899aabbccddeeff"

static enum enc_err find(struct enc_routed *out, const struct enc_enclave *enclave,
                         const struct enc_target *target, const struct enc_request *request)
{
    const struct enc_service service = {.name = "some", .enclave = *enclave};
    return enc_route_find(out, &service, target, request);
}

static enum enc_err route(const char *path, enum enc_method method, bool is_upgrade,
                          struct enc_routed *out)
{
    struct enc_target target;
    struct enc_request request = {.method = method, .is_upgrade = is_upgrade};
    enum enc_err err =
        enc_target_parse(&target, &ENC_SERVICE_NODE.enclave, enc_bytes_of_text(path));
    return err == ENC_ERR_OK ? find(out, &ENC_SERVICE_NODE.enclave, &target, &request) : err;
}

/* Which methods a path has: bit 0 GET, bit 1 POST, bit 2 WebSocket. */
static const struct {
    const char *path;
    unsigned has;
} PATHS[] = {
    {"", 6},
    {"/", 6},
    {"/enclave/" ID, 6},
    {"/enclave/" ID "/", 6},
    {"/" ID, 6},
    {"/enclave/" ID "/sth", 1},
    {"/" ID "/sth", 1},
    {"/enclave/" ID "/inclusion", 2},
    {"/enclave/" ID "/state", 2},
    {"/enclave/" ID "/bundle", 2},
    {"/enclave/" ID "/consistency", 1},
    {"/enclave/" ID "/info/manifest", 1},
    {"/enclave/" ID "/info/enclave", 1},
    {"/" ID "/info/enclave", 1},
    {"/sth", 0},
    {"/info/enclave", 0},
    {"/bundle", 0},
    {"/enclave", 0},
    {"/enclave/", 0},
    {"/enclave/abc", 0},
    {"/enclave/" ID "0", 0},
    {"/enclave/sth", 0},
    {"/enclave/" ID "/nope", 0},
    {"/enclave/" ID "/sth/", 0},
    {"/enclave/" ID "/sth/x", 0},
    {"/enclave/" ID "//sth", 0},
    {"/group/" ID "/sth", 0},
    {"/user/" ID, 0},
    {"//", 0},
    {"sth", 0},
    {"/ " ID, 0},
};

static enum enc_err wanted(unsigned has, enum enc_method method, bool is_upgrade)
{
    bool is_found = (method == ENC_METHOD_GET && !is_upgrade && (has & 1)) ||
                    (method == ENC_METHOD_GET && is_upgrade && (has & 4)) ||
                    (method == ENC_METHOD_POST && !is_upgrade && (has & 2));
    return is_found ? ENC_ERR_OK : has ? ENC_ERR_METHOD_NOT_ALLOWED : ENC_ERR_INVALID_ROUTE;
}

Test(router, every_shape_of_path_and_every_method)
{
    for (size_t i = 0; i < sizeof PATHS / sizeof PATHS[0]; i++)
        for (unsigned m = ENC_METHOD_GET; m <= ENC_METHOD_OTHER; m++)
            for (int up = 0; up < 2; up++) {
                struct enc_routed routed = {.route = NULL};
                enum enc_err err = route(PATHS[i].path, (enum enc_method)m, up, &routed);
                cr_assert_eq(err, wanted(PATHS[i].has, (enum enc_method)m, up),
                             "%s method %u up %d: %d", PATHS[i].path, m, up, err);
                cr_assert_eq(routed.route != NULL, err == ENC_ERR_OK);
                if (err == ENC_ERR_METHOD_NOT_ALLOWED)
                    cr_assert_not_null(routed.allow);
            }
}

Test(router, allow_names_the_methods_that_the_path_has)
{
    struct enc_routed routed;
    cr_assert_eq(route("/", ENC_METHOD_GET, false, &routed), ENC_ERR_METHOD_NOT_ALLOWED);
    cr_assert_str_eq(routed.allow, "POST, OPTIONS");
    cr_assert_eq(route("/" ID "/sth", ENC_METHOD_POST, false, &routed), ENC_ERR_METHOD_NOT_ALLOWED);
    cr_assert_str_eq(routed.allow, "GET, OPTIONS");
}

Test(router, an_alias_is_another_word_for_enclave_and_a_singleton_needs_none)
{
    struct enc_target target;
    struct enc_routed routed;
    struct enc_request get = {.method = ENC_METHOD_GET};
    struct enc_enclave chat = ENC_SERVICE_NODE.enclave;
    chat.addressing.alias = "group";
    cr_assert_eq(enc_target_parse(&target, &chat, ENC_LIT("/group/" ID "/sth")), ENC_ERR_OK);
    cr_assert(target.has_enclave);
    cr_assert(enc_bytes_is(target.action, "/sth"));
    cr_assert_eq(target.enclave32[10], 0xaa, "either case");
    struct enc_enclave registry = ENC_SERVICE_NODE.enclave;
    registry.addressing.segment = 0;
    cr_assert_eq(enc_target_parse(&target, &registry, ENC_LIT("/sth")), ENC_ERR_OK);
    cr_assert_eq(find(&routed, &registry, &target, &get), ENC_ERR_OK);
    cr_assert_str_eq(routed.route->name, "handleSTH");
}

static void nothing(struct enc_exchange *exchange)
{
    (void)exchange;
}

Test(router, a_colon_segment_is_an_id)
{
    const struct enc_route extra[] = {
        {.method = ENC_METHOD_GET, .path = "/nodes/:id", .name = "n", .handler = nothing},
        {.method = ENC_METHOD_POST,
         .path = "/api/x",
         .name = "x",
         .at_root = true,
         .handler = nothing},
    };
    static const char *const NO_IDS[] = {
        "/" ID "/nodes/xyz",      "/" ID "/nodes/xyz",      "/" ID "/nodes/",
        "/" ID "/nodes/" ID "/x", "/" ID "/nodes/" ID "00", "/" ID "/nodes/" ID "/",
    };
    struct enc_enclave some = ENC_SERVICE_NODE.enclave;
    some.extra_routes = (struct enc_routes){extra, 2};
    struct enc_target target;
    struct enc_routed routed;
    struct enc_request request = {.method = ENC_METHOD_GET};
    cr_assert_eq(enc_target_parse(&target, &some, ENC_LIT("/" ID "/nodes/" ID)), ENC_ERR_OK);
    cr_assert_eq(find(&routed, &some, &target, &request), ENC_ERR_OK);
    cr_assert_arr_eq(routed.param32, target.enclave32, 32);
    request.method = ENC_METHOD_POST;
    cr_assert_eq(find(&routed, &some, &target, &request), ENC_ERR_METHOD_NOT_ALLOWED);
    for (size_t i = 0; i < sizeof NO_IDS / sizeof NO_IDS[0]; i++) {
        cr_assert_eq(enc_target_parse(&target, &some, enc_bytes_of_text(NO_IDS[i])), ENC_ERR_OK);
        request.method = i % 2 ? ENC_METHOD_GET : ENC_METHOD_POST; /* for every method (16.44) */
        cr_assert_eq(find(&routed, &some, &target, &request), ENC_ERR_INVALID_ROUTE);
    }
    request.method = ENC_METHOD_POST;
    cr_assert_eq(enc_target_parse(&target, &some, ENC_LIT("/api/x")), ENC_ERR_OK);
    cr_assert_eq(find(&routed, &some, &target, &request), ENC_ERR_OK);
    cr_assert_eq(enc_target_parse(&target, &some, ENC_LIT("/" ID "/api/x")), ENC_ERR_OK);
    cr_assert_eq(find(&routed, &some, &target, &request), ENC_ERR_INVALID_ROUTE);
}

static enum enc_err chat_route(struct enc_routed *out, const char *path)
{
    const struct enc_service *service = &ENC_SERVICE_CHAT;
    struct enc_target target;
    struct enc_request request = {.method = ENC_METHOD_POST};
    enum enc_err err = enc_target_parse(&target, &service->enclave, enc_bytes_of_text(path));
    return err == ENC_ERR_OK ? enc_route_find(out, service, &target, &request) : err;
}

Test(router, bootstrap_and_worker_routes_are_below_no_enclave)
{
    static const struct {
        const char *path;
        const char *name; /* NULL = none */
    } WANTED[] = {
        {"/_bootstrap", "handleBootstrap"},
        {"/enclave/x/_bootstrap", "handleBootstrap"},
        {"/group/" ID "/_bootstrap", "handleBootstrap"},
        {"/" ID "/_bootstrap", NULL},
        {"/api/create-group", "handleCreateGroup"},
        {"/enclave/" ID "/api/create-group", NULL},
        {"/enclave/x/sth", NULL},
    };
    for (size_t i = 0; i < sizeof WANTED / sizeof WANTED[0]; i++) {
        struct enc_routed routed = {.route = NULL};
        enum enc_err err = chat_route(&routed, WANTED[i].path);
        if (!WANTED[i].name) {
            cr_assert_eq(err, ENC_ERR_INVALID_ROUTE, "%s", WANTED[i].path);
            continue;
        }
        cr_assert_eq(err, ENC_ERR_OK, "%s", WANTED[i].path);
        cr_assert_str_eq(routed.route->name, WANTED[i].name);
    }
}
