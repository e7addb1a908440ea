#include "host_fixture.h"

#include <stdio.h>

static struct rig rig;

static void fini(void)
{
    rig_close(&rig);
}

TestSuite(run, .fini = fini);

/* ---- what many runs at once may take ---- */

Test(run, runs_at_the_writer_keep_no_snapshot)
{
    enum { ENCLAVES = 16 };
    struct enc_call *calls[ENCLAVES];
    const uint8_t *ids32[ENCLAVES];
    rig_init(&rig, 1);
    rig.data_config.reader_max = 4;
    rig_start(&rig);
    for (int i = 0; i < ENCLAVES; i++)
        ids32[i] = rig_create(&rig, &(struct shape){.nonce = rig_text(&rig, "%d", i)});
    for (int round = 0; round < 10; round++) {
        for (int i = 0; i < ENCLAVES; i++)
            calls[i] = rig_send(
                &rig, "/",
                rig_body(&rig, &(struct draft){MEMBER, ids32[i], "Message", "x", NULL, 0}));
        rig_settle(&rig);
        for (int i = 0; i < ENCLAVES; i++)
            cr_assert_eq(calls[i]->status, 200, "%s", calls[i]->body);
    }
    rig_check(&rig);
}

/* JSON of about len bytes that costs the reader as much as it can. */
static const char *heavy_json(size_t len)
{
    char *text = (char *)rig_text(&rig, "%*s", (int)len, "");
    size_t at = (size_t)sprintf(text, "{\"identity\":\"%s\",\"role\":\"Member\",\"pad\":[0",
                                rig_hex(&rig, rig.keys[STRANGER].pub32, 32));
    while (at + 4 < len) {
        text[at++] = ',';
        text[at++] = '0';
    }
    strcpy(text + at, "]}");
    return text;
}

Test(run, refused_commits_cannot_use_up_the_memory_of_a_run)
{
    enum { HEAVY = 80 };
    struct enc_call *heavy[HEAVY];
    rig_open(&rig, 2);
    const uint8_t *enclave32 = rig_create(&rig, &(struct shape){0});
    const char *content = heavy_json(250000);
    for (int i = 0; i < HEAVY; i++)
        heavy[i] = rig_send(
            &rig, "/",
            rig_body(&rig, &(struct draft){STRANGER, enclave32, "Revoke", content, NULL, 0}));
    struct enc_call *good = rig_send(
        &rig, "/", rig_body(&rig, &(struct draft){MEMBER, enclave32, "Message", "x", NULL, 0}));
    rig_settle(&rig);
    for (int i = 0; i < HEAVY; i++)
        cr_assert(call_is(heavy[i], 409, "TARGET_LACKS_ROLE"));
    cr_assert_eq(good->status, 200, "%s", good->body);
    rig_check(&rig);
}
