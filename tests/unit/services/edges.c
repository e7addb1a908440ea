/**
 * Edges of the models (tests/models) that no other test takes: what a status refuses, enclaves that are
 * founded and changed by one run, runs that are dropped with what the push queues had staged in them.
 */
#include "disk_fixture.h"
#include "host_fixture.h"

#include "proto/sha256.h"

static struct rig rig;

static void fini(void)
{
    rig_close(&rig);
}

TestSuite(edges, .fini = fini);

static void fail_sync_after(unsigned count)
{
    rig_disk.syncs_left = count;
    rig_disk.is_counted = true;
}

static struct enc_bytes body_of(enum who who, const uint8_t *enclave32, const char *type,
                                const char *content)
{
    return rig_body(&rig, &(struct draft){who, enclave32, type, content, NULL, 0});
}

static const char *migrate_of(const uint8_t *enclave32)
{
    const struct enc_json *info =
        call_json(rig_get(&rig, rig_path(&rig, enclave32, "/info/enclave")));
    uint8_t root32[32];
    json_hex(call_json(rig_get(&rig, rig_path(&rig, enclave32, "/sth"))), "r", root32, 32);
    return rig_text(&rig, "{\"new_sequencer\":\"%s\",\"prev_seq\":%zu,\"ct_root\":\"%s\"}",
                    rig_hex(&rig, rig.keys[OWNER].pub32, 32), (size_t)json_u64(info, "seq"),
                    rig_hex(&rig, root32, 32));
}

/* ---- statuses ---- */

struct status_row {
    const char *first[2]; /* events that lead there */
    const char *code;     /* what it then says to others */
    const char *refused[5];
    const char *accepted;
};

static void lead(const uint8_t *enclave32, const char *type)
{
    const char *content = strcmp(type, "Migrate") == 0 ? migrate_of(enclave32) : "";
    struct enc_call *call = rig_post(&rig, "/", body_of(OWNER, enclave32, type, content));
    cr_assert_eq(call->status, 200, "%s: %s", type, call->body);
}

static void check_row(const struct status_row *row, const uint8_t *enclave32)
{
    for (int i = 0; i < 2 && row->first[i]; i++)
        lead(enclave32, row->first[i]);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 5 && row->refused[i]; i++) {
            bool is_note = strcmp(row->refused[i], "Note") == 0;
            struct enc_call *call = rig_post(
                &rig, "/", body_of(is_note ? MEMBER : OWNER, enclave32, row->refused[i], ""));
            cr_assert(call_is(call, call->status, row->code), "%s %s", row->refused[i], call->body);
        }
        rig_sleep(&rig, 30000); /* asleep, and awake again with what is stored */
    }
    if (row->accepted)
        lead(enclave32, row->accepted);
}

Test(edges, what_a_status_refuses_also_after_a_sleep)
{
    static const struct status_row ROWS[] = {
        {{NULL}, "INVALID_COMMIT", {"Resume"}, "Pause"},
        {{"Pause"}, "ENCLAVE_PAUSED", {"Note", "Pause"}, "Resume"},
        {{"Pause"}, "ENCLAVE_PAUSED", {"Note", "Pause"}, "Terminate"},
        {{"Pause"}, "ENCLAVE_PAUSED", {"Note", "Pause"}, "Migrate"},
        {{"Terminate"},
         "ENCLAVE_TERMINATED",
         {"Note", "Pause", "Resume", "Terminate", "Migrate"},
         NULL},
        {{"Pause", "Migrate"},
         "ENCLAVE_MIGRATED",
         {"Note", "Pause", "Resume", "Terminate", "Migrate"},
         NULL},
    };
    rig_open(&rig, 1);
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        struct shape shape = {.nonce = rig_text(&rig, "%zu", i)};
        check_row(&ROWS[i], rig_create(&rig, &shape));
    }
}

/* A Manifest and what changes the status, by the same run: memory follows with one step. */
Test(edges, founded_and_changed_at_once)
{
    static const char *const TYPES[] = {"Pause", "Terminate", "Migrate"};
    static const char *const CODES[] = {"ENCLAVE_PAUSED", "ENCLAVE_TERMINATED", "ENCLAVE_MIGRATED"};
    rig_open(&rig, 2);
    for (size_t i = 0; i < 3; i++) {
        const char *manifest =
            rig_manifest(&rig, &(struct shape){.nonce = rig_text(&rig, "%zu", i)});
        struct enc_commit founding = rig_sign_manifest(&rig, manifest);
        uint8_t root32[32];
        enc_sha256(root32, (struct enc_bytes){NULL, 0});
        const char *empty = rig_hex(&rig, root32, 32);
        const char *content =
            i < 2 ? ""
                  : rig_text(&rig, "{\"new_sequencer\":\"%s\",\"prev_seq\":0,\"ct_root\":\"%s\"}",
                             rig_hex(&rig, rig.keys[OWNER].pub32, 32), empty);
        struct enc_call *first = rig_send(&rig, "/", rig_commit_json(&rig, &founding));
        struct enc_call *second =
            rig_send(&rig, "/", body_of(OWNER, founding.enclave32, TYPES[i], content));
        rig_settle(&rig);
        cr_assert_eq(first->status, 200, "%s", first->body);
        cr_assert_eq(second->status, 200, "%s", second->body);
        struct enc_call *call =
            rig_post(&rig, "/", body_of(MEMBER, founding.enclave32, "Note", ""));
        cr_assert(call_is(call, call->status, CODES[i]), "%s", call->body);
    }
}

/* ---- queues ---- */

static const uint8_t *make_with_endpoint(uint64_t seed)
{
    rig_init(&rig, seed);
    rig.config.push_allow_http = true;
    rig.config.push_allow_private = true;
    rig.data_config.sync = true;
    rig_start(&rig);
    const uint8_t *enclave32 = rig_create(&rig, &(struct shape){0});
    rig_accept(&rig, &(struct draft){OWNER, enclave32, "Grant_Push",
                                     rig_text(&rig,
                                              "{\"identity\":\"%s\",\"role\":\"Sink\","
                                              "\"endpoint\":\"http://10.0.0.1/\"}",
                                              rig_hex(&rig, rig.keys[GUEST].pub32, 32)),
                                     NULL, 0});
    rig.holds_fetches = true;
    return enclave32;
}

static void message(const uint8_t *enclave32)
{
    rig_accept(&rig, &(struct draft){MEMBER, enclave32, "Message", "x", NULL, 0});
}

/* What was sent before is recorded, whatever the enclave has become. */
Test(edges, results_are_recorded_in_every_status)
{
    static const char *const TYPES[] = {"Pause", "Terminate", "Migrate"};
    for (size_t i = 0; i < 3; i++) {
        const uint8_t *enclave32 = make_with_endpoint(10 + i);
        message(enclave32);
        lead(enclave32, TYPES[i]);
        rig_land(&rig, 200);
        rig_settle(&rig);
        cr_assert_eq(rig_posted_count(&rig), 1);
        rig_check(&rig);
        if (i < 2)
            rig_close(&rig);
    }
}

/* A queue with one payload under way and a row behind it; what the endpoint says, and which of the
 * syncs that follow fails. */
static void land_on_a_failing_disk(uint64_t seed, int status, unsigned syncs)
{
    const uint8_t *enclave32 = make_with_endpoint(seed);
    message(enclave32);
    message(enclave32);
    cr_assert_eq(rig.fetch_count, 1);
    fail_sync_after(syncs);
    rig_land(&rig, status);
    rig_settle(&rig);
    cr_assert_not(rig_disk.is_counted, "a run was dropped");
    rig.holds_fetches = false;
    rig_sleep(&rig, 20000);
    cr_assert_geq(rig_posted_count(&rig), 2);
    cr_assert_eq(json_u64(rig_posted(&rig, rig_posted_count(&rig) - 1), "push_seq"), 2);
    rig_check(&rig);
}

Test(edges, a_delivery_is_recorded_again_after_a_dropped_run)
{
    land_on_a_failing_disk(3, 200, 0);
}

Test(edges, a_failure_is_recorded_again_after_a_dropped_run)
{
    land_on_a_failing_disk(4, 500, 0);
}

Test(edges, a_payload_is_made_again_after_a_dropped_run)
{
    land_on_a_failing_disk(5, 200, 1);
}

/* The result and the removal of the endpoint come together, in this order or the other. */
static void remove_while_landing(uint64_t seed, int status)
{
    const uint8_t *enclave32 = make_with_endpoint(seed);
    message(enclave32);
    const char *content = rig_text(&rig, "{\"identity\":\"%s\",\"role\":\"Sink\"}",
                                   rig_hex(&rig, rig.keys[GUEST].pub32, 32));
    rig_land(&rig, status);
    struct enc_call *call = rig_send(&rig, "/", body_of(OWNER, enclave32, "Revoke", content));
    rig_sleep(&rig, 5000);
    cr_assert_eq(call->status, 200, "%s", call->body);
    message(enclave32);
    rig_sleep(&rig, 5000);
    cr_assert_eq(rig_posted_count(&rig), 1, "nothing more for who is gone");
}

Test(edges, an_endpoint_is_removed_while_its_result_comes_in)
{
    for (uint64_t seed = 1; seed <= 24; seed++) {
        remove_while_landing(seed, seed % 2 ? 200 : 500);
        if (seed < 24)
            rig_close(&rig);
    }
}

Test(edges, nothing_is_published_of_what_is_in_doubt)
{
    rig_init(&rig, 6);
    rig.data_config.sync = true;
    rig_start(&rig);
    const uint8_t *enclave32 = rig_create(&rig, &(struct shape){0});
    rig_disk.meta_write_fails = true;
    struct enc_call *call = rig_post(&rig, "/", body_of(MEMBER, enclave32, "Note", "x"));
    cr_assert(call_is(call, 500, "INTERNAL_ERROR"), "%s", call->body);
    rig_disk.meta_write_fails = false;
    call = rig_post(&rig, "/", body_of(MEMBER, enclave32, "Note", "y"));
    cr_assert(call_is(call, 500, "INTERNAL_ERROR"), "%s", call->body);
    cr_assert(enc_host_store_failed(rig.host));
}
