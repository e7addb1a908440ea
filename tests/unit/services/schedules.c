/* Seeded worlds: in whatever order the threads of the house run, every log is valid, every
 * subscription sees each event once and in order, every queue delivers without a gap. */
#include "host_fixture.h"

#include "actors/splitmix.h"

static struct rig rig;

static void fini(void)
{
    rig_close(&rig);
}

TestSuite(schedules, .fini = fini);

enum { ENCLAVES = 3, ACTIONS = 40 };

struct world {
    uint64_t random;
    const uint8_t *ids32[ENCLAVES];
    struct enc_conn *conns[2];
    uint8_t target32[32];
};

static uint64_t pick(struct world *world, uint64_t count)
{
    return enc_splitmix(&world->random) % count;
}

static const char *about(enum who who, const char *rest)
{
    return rig_text(&rig, "{\"identity\":\"%s\",%s}", rig_hex(&rig, rig.keys[who].pub32, 32), rest);
}

static void commit(struct world *world)
{
    static const char *const TYPES[] = {"Note", "Message", "Grant",  "Revoke",
                                        "Gate", "Note",    "Message"};
    struct draft draft = {.who = OWNER, .enclave32 = world->ids32[pick(world, ENCLAVES)]};
    uint64_t kind = pick(world, 7);
    draft.type = TYPES[kind];
    draft.content = kind == 2 || kind == 3 ? about(GUEST, "\"role\":\"Bell\"")
                    : kind == 4            ? "{\"event\":\"Message\",\"open\":true}"
                                           : "x";
    draft.who = kind == 0 || kind == 1 || kind > 4 ? MEMBER : OWNER;
    struct enc_bytes body = rig_body(&rig, &draft);
    rig_send(&rig, "/", body);
    if (pick(world, 5) == 0)
        rig_send(&rig, "/", body);
}

static void subscribe(struct world *world)
{
    struct enc_conn *conn = world->conns[pick(world, 2)];
    uint64_t which = pick(world, ENCLAVES);
    rig_subscribe(conn, world->ids32[which], rig_text(&rig, "s%u", (unsigned)which),
                  "{\"type\":\"Note\",\"limit\":1000}");
}

static void act(struct world *world)
{
    switch (pick(world, 10)) {
    case 0:
        subscribe(world);
        break;
    case 1:
        enc_sim_advance(rig.sim, pick(world, 3000));
        break;
    case 2:
        world->conns[pick(world, 2)]->is_slow ^= true;
        break;
    default:
        commit(world);
    }
    for (uint64_t steps = pick(world, 12); steps > 0 && enc_sim_step(rig.sim); steps--)
        ;
}

/* seqs of the Notes of an enclave, as the store has them */
static size_t stored_notes(const uint8_t *enclave32, uint64_t *seqs, size_t max)
{
    struct enc_call *call = rig_post(
        &rig, "/",
        enc_bytes_of_text(rig_text(&rig,
                                   "{\"type\":\"Query\",\"enclave\":\"%s\",\"content\":{\"filter\":"
                                   "{\"type\":\"Note\",\"limit\":1000}}}",
                                   rig_hex(&rig, enclave32, 32))));
    cr_assert_eq(call->status, 200, "%s", call->body);
    const struct enc_json *events =
        enc_json_get(enc_json_get(call_json(call), "content"), "events");
    size_t count = 0;
    for (const struct enc_json *at = events->child; at; at = at->next) {
        cr_assert_lt(count, max);
        seqs[count++] = json_u64(enc_json_get(at, "event"), "seq");
    }
    return count;
}

/* What arrived behind the last "replaced": exactly the stored Notes. */
static void check_sub(struct enc_conn *conn, const char *sub_id, const uint8_t *enclave32)
{
    uint64_t wanted[256], seen[256];
    size_t count = 0;
    bool is_open = false;
    for (size_t i = 0; i < conn->got_count; i++) {
        const struct enc_json *json = conn_json(conn, i);
        if (!json_is(json, "sub_id", sub_id))
            continue;
        is_open = true;
        if (json_is(json, "type", "Closed"))
            count = 0;
        else if (json_is(json, "type", "Event"))
            seen[count++] = json_u64(enc_json_get(json, "event"), "seq");
    }
    if (!is_open)
        return;
    cr_assert_eq(count, stored_notes(enclave32, wanted, 256), "%s", sub_id);
    cr_assert_arr_eq(seen, wanted, count * sizeof seen[0]);
}

static void check_queues(void)
{
    uint64_t last[ENCLAVES] = {0};
    uint8_t known32[ENCLAVES][32];
    size_t known = 0;
    for (size_t i = 0; i < rig_posted_count(&rig); i++) {
        uint8_t enclave32[32];
        size_t at = 0;
        json_hex(rig_posted(&rig, i), "enclave", enclave32, 32);
        while (at < known && memcmp(known32[at], enclave32, 32) != 0)
            at++;
        if (at == known)
            memcpy(known32[known++], enclave32, 32);
        cr_assert_eq(json_u64(rig_posted(&rig, i), "push_seq"), ++last[at]);
    }
}

static void open_world(struct world *world, uint64_t seed)
{
    *world = (struct world){.random = seed};
    rig_init(&rig, seed);
    rig.config.push_allow_http = true;
    rig.config.push_allow_private = true;
    rig.config.limits.idle_ms = seed % 3 ? 10000 : 5;
    rig_start(&rig);
    for (int i = 0; i < ENCLAVES; i++) {
        struct shape shape = {.bundle_size = 2 + (uint32_t)i * 3,
                              .timeout_ms = 1000,
                              .nonce = rig_text(&rig, "%d", i)};
        world->ids32[i] = rig_create(&rig, &shape);
    }
    rig_accept(&rig,
               &(struct draft){OWNER, world->ids32[0], "Grant_Push",
                               about(GUEST, "\"role\":\"Sink\",\"endpoint\":\"http://10.0.0.1/\""),
                               NULL, 0});
    for (int i = 0; i < 2; i++)
        world->conns[i] = rig_connect(&rig, NULL);
}

static void run_world(uint64_t seed)
{
    struct world world;
    open_world(&world, seed);
    for (int i = 0; i < ACTIONS; i++)
        act(&world);
    for (int i = 0; i < 2; i++)
        world.conns[i]->is_slow = false;
    rig_sleep(&rig, 5000);
    for (int c = 0; c < 2; c++)
        for (int i = 0; i < ENCLAVES; i++)
            check_sub(world.conns[c], rig_text(&rig, "s%d", i), world.ids32[i]);
    check_queues();
    rig_check(&rig);
    rig_restart(&rig);
    rig_sleep(&rig, 2000);
    rig_check(&rig);
}

static void run_worlds(uint64_t first, uint64_t last)
{
    for (uint64_t seed = first; seed <= last; seed++) {
        run_world(seed);
        if (seed < last)
            rig_close(&rig);
    }
}

Test(schedules, seeds_1_to_100)
{
    run_worlds(1, 100);
}

Test(schedules, seeds_101_to_200)
{
    run_worlds(101, 200);
}

Test(schedules, seeds_201_to_300)
{
    run_worlds(201, 300);
}

/* One seed, one schedule: the same log to the last byte. */
Test(schedules, a_seed_decides_everything)
{
    uint8_t first32[32], second32[32];
    run_world(7);
    uint64_t trace = enc_sim_trace(rig.sim);
    rig_dump(&rig, first32);
    rig_close(&rig);
    run_world(7);
    rig_dump(&rig, second32);
    cr_assert_eq(trace, enc_sim_trace(rig.sim));
    cr_assert_arr_eq(first32, second32, 32);
}
