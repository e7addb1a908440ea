#include "tests/fuzz/support/house.h"

#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

static struct rig rig;
static uint8_t enclave32[32], event32[32];
static bool is_open;

static void close_house(void)
{
    rig_close(&rig);
}

static void furnish(void)
{
    const uint8_t *id = rig_create(&rig, &(struct shape){.bundle_size = 3});
    memcpy(enclave32, id, 32);
    const struct draft drafts[] = {
        {OWNER, enclave32, "Message", "one", NULL, 0},
        {OWNER, enclave32, "Note", "two", NULL, 0},
        {MEMBER, enclave32, "Message", "three", NULL, 0},
        {OWNER, enclave32, "Gate", "{\"event\":\"Note\",\"open\":false}", NULL, 0},
    };
    for (size_t i = 0; i < sizeof drafts / sizeof *drafts; i++) {
        struct enc_event event = rig_accept(&rig, &drafts[i]);
        if (i == 0)
            memcpy(event32, event.id32, 32);
    }
    struct draft update = {OWNER, enclave32, "Update", "un", event32, 0};
    rig_accept(&rig, &update);
}

struct rig *house_open(void)
{
    if (is_open)
        return &rig;
    rig_open(&rig, 1);
    furnish();
    house_rest(true);
    is_open = true;
    atexit(close_house);
    return &rig;
}

const uint8_t *house_enclave(void)
{
    return enclave32;
}

const uint8_t *house_event(void)
{
    return event32;
}

static void forget_calls(void)
{
    rig_release(&rig);
    for (size_t i = 0; i < rig.call_count; i++) {
        ENC_CHECK(rig.calls[i]->is_answered);
        free(rig.calls[i]->body);
        free(rig.calls[i]);
    }
    rig.call_count = 0;
}

void house_rest(bool is_whole)
{
    for (size_t i = 0; i < rig.conn_count; i++)
        if (rig.conns[i]->socket)
            rig_disconnect(rig.conns[i]);
    rig_settle(&rig);
    forget_calls();
    if (is_whole)
        rig_restart(&rig);
    enc_arena_fini(&rig.arena);
}

bool house_says(struct enc_bytes text, const char *type, const char *code)
{
    struct enc_arena arena;
    fuzz_arena(&arena, 2);
    const struct enc_json *json = fuzz_json(&arena, text);
    return json && json_is(json, "type", type) && (!code || json_is(json, "code", code));
}
