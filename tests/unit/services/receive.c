#include "services/receive.h"

#include "sender.h"
#include "services/inbox.h"
#include "timeline_fixture.h"

static struct rig rig;
static struct sender other;
static const uint8_t *own32;

static void fini(void)
{
    rig_close(&rig);
}

TestSuite(receive, .fini = fini);

/* A timeline that follows the other node's enclave, whose address nobody knows. */
static void make(uint64_t seed)
{
    timeline_open(&rig, seed);
    own32 = timeline_create(&rig);
    sender_init(&other, &rig, "other");
    sender_follow(&other, own32, NULL);
}

static struct enc_call *push(struct enc_bytes json)
{
    return rig_post(&rig, rig_path(&rig, own32, "/push"), json);
}

static void accepted(struct enc_bytes json, uint64_t count, uint64_t last_seq)
{
    struct enc_call *call = push(json);
    cr_assert_eq(call->status, 200, "%.300s", call->body);
    const struct enc_json *answer = call_json(call);
    cr_assert_eq(answer->count, 3);
    cr_assert_eq(enc_json_get(answer, "ok")->kind, ENC_JSON_TRUE);
    cr_assert_eq(json_u64(answer, "accepted"), count);
    cr_assert_eq(json_u64(answer, "last_seq"), last_seq);
}

/* It is refused and not a byte of the store is another. */
static void refused(struct enc_bytes json, uint16_t status, const char *code, const char *what)
{
    uint8_t before32[32], after32[32];
    rig_dump(&rig, before32);
    cr_assert(call_is(push(json), status, code), "%s", what);
    rig_dump(&rig, after32);
    cr_assert_arr_eq(before32, after32, 32, "%s", what);
}

static size_t feed_count(void)
{
    return enc_json_get(timeline_get(&rig, own32, "/feed?limit=100"), "posts")->count;
}

static struct enc_inbox_row only_row(void)
{
    struct enc_snap *snap = NULL;
    struct enc_scan scan;
    struct enc_row_found found;
    struct enc_inbox_row row;
    struct enc_row_range range = {.view = {ord_of(&rig, own32), ENC_VIEW_INBOX}};
    cr_assert_eq(enc_snap_open(enc_data_shard(rig.data, own32), &snap), ENC_ERR_OK);
    enc_scan_rows(&scan, snap, &range);
    cr_assert(enc_scan_row(&scan, &found));
    cr_assert(enc_inbox_take(&row, found.key, enc_arena_copy(&rig.arena, found.value)));
    cr_assert_not(enc_scan_row(&scan, &found));
    cr_assert_eq(enc_scan_fini(&scan), ENC_ERR_OK);
    enc_snap_close(snap);
    return row;
}

/* ---- what is taken in ---- */

Test(receive, events_of_a_followed_enclave_become_rows)
{
    make(1);
    struct enc_event posts[] = {sender_post(&other, "one"), sender_post(&other, "two")};
    accepted(sender_pack(&other, posts, 2), 2, 2);
    accepted(sender_pack_post(&other, "three"), 1, 3);
    cr_assert_eq(feed_count(), 3);
    const struct enc_json *first =
        json_at(timeline_get(&rig, own32, "/feed?limit=100"), "posts", 2);
    cr_assert(json_is(first, "text", "one") || json_is(first, "text", "two"));
    cr_assert(json_is(first, "enclave", rig_hex(&rig, other.enclave32, 32)));
    cr_assert_eq(enc_json_get(timeline_get(&rig, own32, "/posts"), "posts")->count, 0);
    const struct enc_json *synced = enc_json_get(timeline_get(&rig, own32, "/health"), "synced");
    cr_assert_eq(json_u64(synced, rig_hex(&rig, other.enclave32, 32)), 3);
    rig_check(&rig);
}

Test(receive, a_repeat_changes_nothing)
{
    make(2);
    uint8_t before32[32], after32[32];
    struct enc_bytes first = sender_pack_post(&other, "one");
    struct enc_bytes second = sender_pack_post(&other, "two");
    accepted(first, 1, 1);
    accepted(second, 1, 2);
    rig_dump(&rig, before32);
    accepted(first, 0, 2);
    accepted(second, 0, 2);
    rig_dump(&rig, after32);
    cr_assert_arr_eq(before32, after32, 32);
    cr_assert_eq(feed_count(), 2);
}

Test(receive, events_seen_before_are_skipped)
{
    make(3);
    struct enc_event posts[] = {sender_post(&other, "one"), sender_post(&other, "two"),
                                sender_post(&other, "three")};
    accepted(sender_pack(&other, posts + 1, 1), 1, 2);
    accepted(sender_pack(&other, posts, 3), 1, 3);
    accepted(sender_pack(&other, posts, 3), 0, 3);
    accepted(sender_pack(&other, NULL, 0), 0, 3);
    cr_assert_eq(feed_count(), 2);
}

Test(receive, the_first_event_of_a_log_is_new_too)
{
    make(4);
    accepted(sender_pack(&other, &other.manifest, 1), 1, 0);
    accepted(sender_pack(&other, &other.manifest, 1), 0, 0);
}

/* A node that takes an enclave over counts its payloads from 1. */
Test(receive, another_sequencer_begins_anew)
{
    static const uint8_t PRIV32[32] = {7};
    make(23);
    accepted(sender_pack_post(&other, "one"), 1, 1);
    accepted(sender_pack_post(&other, "two"), 1, 2);
    struct enc_bytes late = sender_pack_post(&other, "three");
    cr_assert(enc_key_init(&other.key, rig.curve, PRIV32));
    other.next_push_seq = 1;
    sender_follow(&other, own32, NULL);
    refused(late, 400, "INVALID_PUSH", "by the one that is followed no more");
    accepted(sender_pack_post(&other, "four"), 1, 4);
    cr_assert_eq(feed_count(), 3);
}

Test(receive, what_was_erased_only_counts)
{
    make(5);
    struct enc_event post = sender_post(&other, "gone");
    post.is_erased = true;
    accepted(sender_pack(&other, &post, 1), 1, 1);
    cr_assert_eq(feed_count(), 0);
    struct enc_inbox_row row = only_row();
    cr_assert_eq(row.record.len, 0, "nothing that a rebuild could fold");
    cr_assert_eq(row.seq, 1);
    cr_assert_eq(row.own_seq, 2, "after the Manifest and the Follow");
}

Test(receive, what_came_in_survives_a_restart)
{
    make(6);
    struct enc_bytes first = sender_pack_post(&other, "one");
    accepted(first, 1, 1);
    rig_restart(&rig);
    accepted(first, 0, 1);
    accepted(sender_pack_post(&other, "two"), 1, 2);
    cr_assert_eq(feed_count(), 2);
}

Test(receive, both_forms_are_taken)
{
    make(7);
    for (uint64_t i = 1; i <= 2; i++) {
        struct enc_event post = sender_post(&other, "x");
        struct enc_parcel parcel =
            sender_parcel(&other, i, sender_body(&other, i, &post, 1), i == 2);
        accepted(sender_json(&other, &parcel), 1, i);
    }
}

/* ---- what is not ---- */

Test(receive, whom_nobody_follows_may_not_push)
{
    struct sender stranger;
    make(10);
    sender_init(&stranger, &rig, "stranger");
    refused(sender_pack_post(&stranger, "x"), 403, "UNAUTHORIZED", "not followed");
    struct enc_parcel parcel = sender_parcel(&stranger, 1, "{}", true);
    parcel.sig64[0] ^= 1;
    refused(sender_json(&stranger, &parcel), 403, "UNAUTHORIZED", "before the signature");
    parcel.push_seq = 0;
    refused(sender_json(&stranger, &parcel), 400, "INVALID_PUSH", "after the shape");
}

/* Not even when the owner asks for it. */
Test(receive, the_own_enclave_is_never_pushed)
{
    make(11);
    other.enclave32 = own32;
    sender_follow(&other, own32, NULL);
    refused(sender_pack_post(&other, "x"), 403, "UNAUTHORIZED", "own");
}

/* Sound, and signed by the right one, but for another node. */
Test(receive, what_is_for_somebody_else_is_refused)
{
    make(15);
    struct enc_event post = sender_post(&other, "x");
    struct enc_parcel parcel = sender_parcel(&other, 1, sender_body(&other, 1, &post, 1), true);
    memcpy(parcel.to32, rig.keys[GUEST].pub32, 32);
    enc_parcel_sign(rig.curve, &parcel, &other.key);
    refused(sender_json(&other, &parcel), 400, "INVALID_PUSH", "for another");
}

/* It would move the mark, and what comes after it would look like repeats. */
Test(receive, an_empty_payload_of_another_sequencer_is_refused)
{
    struct sender thief;
    make(16);
    sender_init(&thief, &rig, "thief");
    thief.enclave32 = other.enclave32;
    refused(sender_pack(&thief, NULL, 0), 400, "INVALID_PUSH", "no events to look at");
}

Test(receive, nothing_forged_is_taken)
{
    make(12);
    enum { TO, FROM, ENCLAVE, SEQ, SIG, CONTENT, PART_COUNT };
    struct enc_event post = sender_post(&other, "x");
    for (int part = 0; part < PART_COUNT; part++) {
        struct enc_parcel parcel =
            sender_parcel(&other, 1, sender_body(&other, 1, &post, 1), false);
        uint8_t *const BYTES[] = {parcel.to32, parcel.from32, parcel.enclave32, NULL, parcel.sig64};
        if (part == SEQ)
            parcel.push_seq++;
        else if (part == CONTENT)
            parcel.content.len -= 4;
        else
            BYTES[part][0] ^= 1;
        const bool is_unknown = part == ENCLAVE;
        refused(sender_json(&other, &parcel), is_unknown ? 403 : 400,
                is_unknown ? "UNAUTHORIZED" : "INVALID_PUSH", rig_text(&rig, "part %d", part));
    }
    struct sender thief;
    sender_init(&thief, &rig, "thief");
    thief.enclave32 = other.enclave32;
    refused(sender_pack_post(&thief, "x"), 400, "INVALID_PUSH", "another sequencer");
    accepted(sender_pack(&other, &post, 1), 1, 1);
}

Test(receive, no_event_may_be_another)
{
    make(13);
    enum { HASH, AUTHOR, SIG, SEQ_SIG, ID, SEQUENCER, TIME, SEQ, TEXT, PART_COUNT };
    for (int part = 0; part < PART_COUNT; part++) {
        struct enc_event events[2] = {sender_post(&other, "sound"), sender_post(&other, "x")};
        struct enc_event *event = &events[1];
        uint8_t *const BYTES[] = {event->commit.hash32, event->commit.from32, event->commit.sig64,
                                  event->seq_sig64,     event->id32,          event->sequencer32};
        if (part < TIME)
            BYTES[part][5] ^= 1;
        event->timestamp_ms += part == TIME;
        event->seq += part == SEQ;
        if (part == TEXT)
            event->commit.content = ENC_LIT("{\"text\":\"y\"}");
        struct enc_parcel parcel =
            sender_parcel(&other, 1, sender_body(&other, 1, events, 2), part % 2 == 0);
        refused(sender_json(&other, &parcel), 400, "INVALID_PUSH", rig_text(&rig, "part %d", part));
    }
    cr_assert_eq(feed_count(), 0);
}

Test(receive, bodies_that_are_none_are_refused)
{
    make(14);
    refused(ENC_LIT("{"), 400, "INVALID_REQUEST", "no JSON");
    refused(ENC_LIT("[]"), 400, "INVALID_PUSH", "no object");
    refused(ENC_LIT("{}"), 400, "INVALID_PUSH", "no members");
    static const char *const BODIES[] = {"", "{}", "[]", "{\"push_seq\":1}"};
    for (size_t i = 0; i < sizeof BODIES / sizeof *BODIES; i++) {
        struct enc_parcel parcel = sender_parcel(&other, 1, BODIES[i], i % 2 == 0);
        refused(sender_json(&other, &parcel), 400, "INVALID_PUSH", BODIES[i]);
    }
    uint8_t nowhere32[32] = {1};
    const char *path = rig_path(&rig, nowhere32, "/push");
    cr_assert(
        call_is(rig_post(&rig, path, sender_pack_post(&other, "x")), 404, "ENCLAVE_NOT_FOUND"));
}

/* ---- between commits ---- */

Test(receive, an_unfollow_before_it_in_the_same_run_counts)
{
    for (uint64_t seed = 20; seed < 40; seed++) {
        make(seed);
        accepted(sender_pack_post(&other, "before"), 1, 1);
        const char *content =
            rig_text(&rig, "{\"enclave\":\"%s\",\"pub\":\"%s\"}",
                     rig_hex(&rig, other.enclave32, 32), rig_hex(&rig, other.key.pub32, 32));
        struct enc_bytes unfollow =
            rig_body(&rig, &(struct draft){OWNER, own32, "Unfollow", content, NULL, 0});
        struct enc_call *first = rig_send(&rig, "/", unfollow);
        struct enc_call *second =
            rig_send(&rig, rig_path(&rig, own32, "/push"), sender_pack_post(&other, "after"));
        rig_settle(&rig);
        cr_assert_eq(first->status, 200);
        cr_assert(call_is(second, 403, "UNAUTHORIZED"), "seed %zu", (size_t)seed);
        cr_assert_eq(feed_count(), 1);
        if (seed < 39)
            rig_close(&rig);
    }
}

Test(receive, commits_and_pushes_are_answered_in_one_run)
{
    make(40);
    struct enc_call *calls[9];
    uint64_t before = rig.answers;
    for (size_t i = 0; i < 9; i++)
        calls[i] =
            i % 2
                ? rig_send(&rig, rig_path(&rig, own32, "/push"), sender_pack_post(&other, "theirs"))
                : rig_send(&rig, "/",
                           rig_body(&rig, &(struct draft){OWNER, own32, "Post",
                                                          "{\"text\":\"ours\"}", NULL, 0}));
    rig_settle(&rig);
    for (size_t i = 0; i < 9; i++) {
        cr_assert_eq(calls[i]->status, 200, "%.300s", calls[i]->body);
        cr_assert_eq(calls[i]->order, before + i + 1);
    }
    cr_assert_eq(feed_count(), 9);
    rig_check(&rig);
}

/* ---- the registry ---- */

Test(receive, the_registry_follows_whom_the_configuration_names)
{
    struct enc_follow follow;
    rig_init(&rig, 50);
    sender_init(&other, &rig, "other");
    memcpy(follow.enclave32, other.enclave32, 32);
    memcpy(follow.pub32, other.key.pub32, 32);
    rig.config.registry_follows = &follow;
    rig.config.registry_follow_count = 1;
    rig_start(&rig);
    rig_turn_to(&rig, &ENC_SERVICE_REGISTRY);
    struct enc_event event =
        sender_event(&other, MEMBER, "Reg_Identity", "{\"display_name\":\"Mem\"}", NULL);
    struct enc_call *call = rig_post(&rig, "/push", sender_pack(&other, &event, 1));
    cr_assert_eq(call->status, 200, "%.300s", call->body);
    const char *member = rig_hex(&rig, rig.keys[MEMBER].pub32, 32);
    call = rig_get(&rig, rig_text(&rig, "/identities/%s", member));
    cr_assert_eq(call->status, 200);
    cr_assert(json_is(call_json(call), "display_name", "Mem"));
    struct sender stranger;
    sender_init(&stranger, &rig, "stranger");
    call = rig_post(&rig, "/push", sender_pack_post(&stranger, "x"));
    cr_assert(call_is(call, 403, "UNAUTHORIZED"));
}
