#include "host_fixture.h"

static struct rig rig;

static void fini(void)
{
    rig_close(&rig);
}

TestSuite(pipeline, .fini = fini);

/* ---- a first walk ---- */

Test(pipeline, a_commit_becomes_an_event_and_a_receipt)
{
    rig_open(&rig, 1);
    const uint8_t *enclave32 = rig_create(&rig, &(struct shape){0});
    struct draft draft = {MEMBER, enclave32, "Message", "hello", NULL, 0};
    struct enc_event event = rig_accept(&rig, &draft);
    cr_assert_eq(event.seq, 1);
    cr_assert_eq(event.type_seq, 1);
    cr_assert_eq(event.timestamp_ms, rig_now_ms(&rig));
    event = rig_accept(&rig, &draft);
    cr_assert_eq(event.seq, 2);
    cr_assert_eq(event.type_seq, 2);
    rig_check(&rig);
}
