/* The way in: what a request becomes before anything of it is read. */
#include "realm.h"

#include "services/inside.h"

#include <stdlib.h>

static struct rig rig;
static const uint8_t *enclave32;

static void init(void)
{
    rig_open(&rig, 1);
    enclave32 = rig_create(&rig, &(struct shape){0});
}

static void fini(void)
{
    rig_close(&rig);
}

TestSuite(entry, .init = init, .fini = fini);

/* ---- WebSocket: only the place is said, the call stays net's ---- */

static enum enc_handled upgrade(const char *service, const char *path, struct enc_ws_place *place)
{
    struct enc_request request = {
        .method = ENC_METHOD_GET, .is_upgrade = true, .path = enc_bytes_of_text(path)};
    return enc_host_handle(rig.host, service_number(service), &request, place);
}

Test(entry, an_upgrade_says_its_place)
{
    struct enc_ws_place place;
    cr_assert_eq(upgrade("enc-node", "/", &place), ENC_HANDLED_UPGRADE);
    cr_assert_not(place.has_enclave);
    cr_assert_eq(upgrade("chat", rig_path(&rig, enclave32, ""), &place), ENC_HANDLED_UPGRADE);
    cr_assert(place.has_enclave);
    cr_assert_eq(place.service, service_number("chat"));
    cr_assert_arr_eq(place.enclave32, enclave32, 32);
}

Test(entry, a_singleton_is_its_own_place)
{
    struct enc_ws_place place;
    unsigned registry = service_number("registry");
    cr_assert_eq(upgrade("registry", "/", &place), ENC_HANDLED_UPGRADE);
    cr_assert(place.has_enclave);
    cr_assert_arr_eq(place.enclave32, rig.host->singletons32[registry], 32);
    cr_assert_eq(upgrade("registry", rig_path(&rig, enclave32, ""), &place), ENC_HANDLED_UPGRADE);
    cr_assert_arr_eq(place.enclave32, enclave32, 32, "what the path names goes before");
}

/* ---- requests ---- */

static struct enc_call *enter(enum enc_method method, char *path, char *query, char *body)
{
    struct enc_ws_place place;
    struct enc_call *call = (struct enc_call *)calloc(1, sizeof *call);
    rig.calls[rig.call_count++] = call;
    call->rig = &rig;
    struct enc_request request = {
        .method = method,
        .path = enc_bytes_of_text(path),
        .query = query ? enc_bytes_of_text(query) : (struct enc_bytes){NULL, 0},
        .body = body ? enc_bytes_of_text(body) : (struct enc_bytes){NULL, 0},
        .call = call,
    };
    cr_assert_eq(enc_host_handle(rig.host, rig.service, &request, &place), ENC_HANDLED_CALL);
    return call;
}

static char *own(const char *text)
{
    char *copy = strdup(text);
    cr_assert_not_null(copy);
    return copy;
}

static void spoil(char *text)
{
    memset(text, '#', strlen(text));
    free(text);
}

Test(entry, what_a_request_brought_may_go_when_it_is_taken)
{
    struct draft draft = {MEMBER, enclave32, "Note", "x", NULL, 0};
    struct enc_bytes json = rig_body(&rig, &draft);
    char *path = own("/");
    char *body = own(rig_text(&rig, "%.*s", (int)json.len, (const char *)json.data));
    struct enc_call *call = enter(ENC_METHOD_POST, path, NULL, body);
    spoil(path);
    spoil(body);
    rig_settle(&rig);
    cr_assert_eq(call->status, 200, "%s", call->body);
}

Test(entry, query_and_path_are_copied_too)
{
    char *path = own(rig_path(&rig, enclave32, "/consistency"));
    char *query = own("from=0&to=0");
    struct enc_call *call = enter(ENC_METHOD_GET, path, query, NULL);
    spoil(path);
    spoil(query);
    rig_settle(&rig);
    struct enc_call *plain = rig_get(&rig, rig_path(&rig, enclave32, "/consistency?from=0&to=0"));
    cr_assert_eq(call->status, plain->status);
    cr_assert_str_eq(call->body, plain->body);
    rig.service = service_number("registry");
    path = own(rig_text(&rig, "/nodes/%s", rig_hex(&rig, enclave32, 32)));
    call = enter(ENC_METHOD_GET, path, NULL, NULL);
    spoil(path);
    rig_settle(&rig);
    cr_assert(call_is(call, 404, "NODE_NOT_FOUND"), "the ':' segment");
}

Test(entry, a_get_without_enclave_reaches_a_singleton_only)
{
    cr_assert(call_is(rig_get(&rig, "/sth"), 404, "INVALID_ROUTE"));
    cr_assert(call_is(rig_get(&rig, "/info/enclave"), 404, "INVALID_ROUTE"));
    rig.service = service_number("registry");
    cr_assert_eq(rig_get(&rig, "/sth")->status, 200);
    cr_assert_eq(rig_get(&rig, "/info/enclave")->status, 200);
    cr_assert(call_is(rig_get(&rig, rig_path(&rig, enclave32, "/sth")), 404, "ENCLAVE_NOT_FOUND"));
}

Test(entry, info_node_is_on_every_mount)
{
    for (rig.service = 0; rig.service < enc_service_count(); rig.service++) {
        struct enc_call *call = rig_get(&rig, "/info/node");
        cr_assert_eq(call->status, 200);
        cr_assert_eq(enc_json_get(call_json(call), "services")->count, enc_service_count());
        cr_assert(call_is(rig_post(&rig, "/info/node", ENC_LIT("{}")), 405, "METHOD_NOT_ALLOWED"));
    }
    rig.service = 0;
}

Test(entry, a_wrong_method_is_told_the_right_ones)
{
    struct enc_call *call = rig_post(&rig, rig_path(&rig, enclave32, "/sth"), ENC_LIT("{}"));
    cr_assert(call_is(call, 405, "METHOD_NOT_ALLOWED"));
    cr_assert_str_eq(call->allow, "GET, OPTIONS");
    call = rig_get(&rig, rig_path(&rig, enclave32, "/state"));
    cr_assert(call_is(call, 405, "METHOD_NOT_ALLOWED"));
    cr_assert_str_eq(call->allow, "POST, OPTIONS");
    cr_assert(call_is(rig_get(&rig, rig_path(&rig, enclave32, "/nope")), 404, "INVALID_ROUTE"));
    cr_assert(call_is(rig_get(&rig, "/enclave/abc/sth"), 404, "INVALID_ROUTE"));
}
