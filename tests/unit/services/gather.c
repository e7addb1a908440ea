/* Reads that are done together are answered as if each were alone. */
#include "host_fixture.h"

enum { MOST = 64 };

static struct rig rig;
static const uint8_t *enclaves32[3];
static struct enc_event events[3];

static void init(void)
{
    rig_open(&rig, 1);
    for (size_t i = 0; i < 3; i++) {
        const char *nonce = rig_text(&rig, "%zu", i);
        enclaves32[i] = rig_create(&rig, &(struct shape){.bundle_size = 2, .nonce = nonce});
        for (size_t n = 0; n < 4 + i; n++)
            events[i] = rig_accept(&rig, &(struct draft){MEMBER, enclaves32[i], "Note",
                                                         rig_text(&rig, "%zu", n), NULL, 0});
    }
}

static void fini(void)
{
    rig_close(&rig);
}

TestSuite(gather, .init = init, .fini = fini);

struct asking {
    const char *path;
    struct enc_bytes body; /* empty: a GET */
};

static struct asking asking_of(size_t enclave, const char *action, const char *content)
{
    const char *hex = rig_hex(&rig, enclaves32[enclave], 32);
    const char *body =
        content ? rig_text(&rig, "{\"type\":\"Query\",\"enclave\":\"%s\",\"content\":{%s}}", hex,
                           content)
                : "";
    return (struct asking){rig_path(&rig, enclaves32[enclave], action), enc_bytes_of_text(body)};
}

static struct asking by_id(size_t enclave, const uint8_t id32[32])
{
    return asking_of(enclave, "",
                     rig_text(&rig, "\"filter\":{\"id\":\"%s\"}", rig_hex(&rig, id32, 32)));
}

/* Of three enclaves in turn, some twice in a row, some not to be had. */
static struct asking some(size_t number)
{
    static const uint8_t NONE32[32] = {1};
    size_t enclave = number / 2 % 3;
    switch (number % 9) {
    case 0:
    case 1:
        return by_id(enclave, events[enclave].id32);
    case 2:
        return by_id(enclave, NONE32);
    case 3:
        return asking_of(enclave, "/inclusion", "\"leaf_index\":1");
    case 4:
        return asking_of(enclave, "/inclusion", "\"leaf_index\":900");
    case 5:
        return asking_of(
            enclave, "/state",
            rig_text(&rig, "\"namespace\":\"rbac\",\"key\":\"%s\"",
                     rig_hex(&rig, rig.keys[number % 2 ? MEMBER : STRANGER].pub32, 32)));
    case 6:
        return asking_of(enclave, "/sth", NULL);
    case 7:
        return asking_of(enclave, "/info/enclave", NULL);
    default:
        return asking_of(enclave, "", "\"filter\":{\"id\":7}");
    }
}

static struct enc_call *begin(const struct asking *asking)
{
    return asking->body.len ? rig_send(&rig, asking->path, asking->body)
                            : rig_send_get(&rig, asking->path);
}

static struct enc_call *alone(const struct asking *asking)
{
    struct enc_call *call = begin(asking);
    rig_settle(&rig);
    return call;
}

static void expect_same(const struct enc_call *got, const struct enc_call *wanted, size_t number)
{
    cr_assert(got->is_answered, "%zu", number);
    cr_assert_eq(got->status, wanted->status, "%zu: %s", number, got->body);
    cr_assert_str_eq(got->body, wanted->body, "%zu", number);
}

Test(gather, answers_are_those_of_reads_alone)
{
    enum { COUNT = 90 };
    struct enc_call *wanted[COUNT];
    struct enc_call *got[COUNT];
    struct asking askings[COUNT];
    size_t good = 0;
    for (size_t i = 0; i < COUNT; i++) {
        askings[i] = some(i);
        wanted[i] = alone(&askings[i]);
        good += wanted[i]->status == 200;
    }
    cr_assert_eq(good, COUNT * 7 / 9);
    for (int is_done_here = 0; is_done_here < 2; is_done_here++) {
        rig.gathering.is_done_here = is_done_here;
        for (size_t i = 0; i < COUNT; i++)
            got[i] = begin(&askings[i]);
        rig_settle(&rig);
        for (size_t i = 0; i < COUNT; i++)
            expect_same(got[i], wanted[i], i);
    }
}

static struct enc_call *on_loop(const struct asking *asking)
{
    rig.gathering.is_done_here = true;
    struct enc_call *call = begin(asking);
    enc_host_end_turn(rig.host, &rig.gathering);
    return call;
}

Test(gather, a_loop_reads_itself_what_is_quick)
{
    struct asking asking = by_id(0, events[0].id32);
    alone(&asking); /* the Manifest is known from here on */
    struct enc_call *call = on_loop(&asking);
    cr_assert(call->is_answered, "at once");
    cr_assert_eq(call->status, 200);
}

Test(gather, a_loop_leaves_an_unknown_manifest_to_a_worker)
{
    struct asking asking = by_id(0, events[0].id32);
    rig_restart(&rig);
    struct enc_call *first = on_loop(&asking);
    struct enc_call *other = on_loop(&asking);
    cr_assert_not(first->is_answered);
    cr_assert_not(other->is_answered);
    rig_settle(&rig);
    cr_assert_eq(first->status, 200);
    cr_assert_eq(other->status, 200);
    cr_assert(on_loop(&asking)->is_answered, "now it is known");
}

/* What stands behind a long one goes along; what was before it is answered. */
Test(gather, a_loop_leaves_a_long_answer_to_a_worker)
{
    static char text[100000];
    memset(text, 'x', sizeof text - 1);
    struct enc_event large =
        rig_accept(&rig, &(struct draft){MEMBER, enclaves32[0], "Note", text, NULL, 0});
    struct asking small = by_id(0, events[0].id32);
    struct asking asking = by_id(0, large.id32);
    alone(&small);
    struct enc_call *before = begin(&small);
    struct enc_call *call = begin(&asking);
    struct enc_call *behind = on_loop(&small);
    cr_assert(before->is_answered);
    cr_assert_not(call->is_answered);
    cr_assert_not(behind->is_answered);
    rig_settle(&rig);
    cr_assert_eq(call->status, 200);
    cr_assert_str_eq(call->body, alone(&asking)->body);
    cr_assert_str_eq(behind->body, before->body);
}

Test(gather, a_turn_waits_for_its_end_or_for_as_many_as_fit)
{
    struct enc_call *calls[MOST];
    for (size_t i = 0; i < MOST; i++) {
        cr_assert_eq(rig.gathering.count, i);
        calls[i] = begin(&(struct asking){"/", by_id(i % 3, events[i % 3].id32).body});
    }
    cr_assert_eq(rig.gathering.count, 0, "they left");
    begin(&(struct asking){"/", by_id(0, events[0].id32).body});
    cr_assert_eq(rig.gathering.count, 1, "the next waits");
    for (size_t i = 0; i < MOST; i++)
        cr_assert(!calls[i]->is_answered);
    rig_settle(&rig);
    for (size_t i = 0; i < MOST; i++)
        cr_assert_eq(calls[i]->status, 200);
}

/* What takes long, or may, would keep the others waiting. */
Test(gather, only_small_reads_of_public_are_gathered)
{
    const char *nine =
        "\"filter\":{\"id\":[\"00\",\"00\",\"00\",\"00\",\"00\",\"00\",\"00\",\"00\","
        "\"00\"]}";
    const struct asking alones[] = {
        asking_of(0, "", "\"filter\":{\"limit\":3}"),
        asking_of(0, "", nine),
        asking_of(0, "/bundle",
                  rig_text(&rig, "\"event_id\":\"%s\"", rig_hex(&rig, events[0].id32, 32))),
    };
    for (size_t i = 0; i < sizeof alones / sizeof *alones; i++) {
        begin(&alones[i]);
        cr_assert_eq(rig.gathering.count, 0, "%zu", i);
    }
    struct asked sealed = rig_seal(&rig, MEMBER, enclaves32[0], "Query", ",\"filter\":{\"id\":[]}");
    rig_send(&rig, "/", sealed.body);
    cr_assert_eq(rig.gathering.count, 0, "sealed");
    rig_settle(&rig);
}

Test(gather, all_are_refused_when_their_job_finds_no_room)
{
    enum { COUNT = 2 * MOST };
    struct enc_call *calls[COUNT];
    rig_close(&rig);
    rig_init(&rig, 2);
    rig.config.limits.jobs_max = 1;
    rig_start(&rig);
    enclaves32[0] = rig_create(&rig, &(struct shape){0});
    for (size_t i = 0; i < COUNT; i++)
        calls[i] = begin(&(struct asking){rig_path(&rig, enclaves32[0], "/sth"), {NULL, 0}});
    for (size_t i = 0; i < COUNT; i++)
        cr_assert_eq(calls[i]->is_answered, i >= MOST, "%zu", i);
    rig_settle(&rig);
    for (size_t i = 0; i < COUNT; i++)
        cr_assert(i < MOST ? calls[i]->status == 200 : call_is(calls[i], 503, "RATE_LIMITED"));
}

Test(gather, a_turn_that_ends_with_the_node_is_answered)
{
    struct enc_call *call =
        begin(&(struct asking){rig_path(&rig, enclaves32[0], "/sth"), {NULL, 0}});
    cr_assert_eq(rig.gathering.count, 1);
    rig_restart(&rig);
    cr_assert(call->is_answered);
    cr_assert_neq(call->status, 0);
}
