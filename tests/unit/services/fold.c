#include "services/fold.h"

#include "actors/splitmix.h"
#include "sender.h"
#include "timeline_fixture.h"

#include <stdio.h>
#include <stdlib.h>

enum { SENDERS = 2, STEPS = 40, KEPT = 64 };

static struct rig rig;
static struct sender senders[SENDERS];
static const uint8_t *own32;
static uint64_t dice;

static void fini(void)
{
    rig_close(&rig);
}

TestSuite(fold, .fini = fini, .timeout = 120);

static uint64_t roll(uint64_t sides)
{
    return enc_splitmix(&dice) % sides;
}

static void make(uint64_t seed)
{
    dice = seed;
    timeline_open(&rig, seed);
    own32 = timeline_create(&rig);
    for (int i = 0; i < SENDERS; i++) {
        sender_init(&senders[i], &rig, i ? "second" : "first");
        sender_follow(&senders[i], own32, NULL);
    }
}

/* ---- a random life ---- */

/* Ids that something may refer to: any of them, from whichever log. */
static uint8_t known32[KEPT][32];
static size_t known_count;

static void know(const uint8_t id32[32])
{
    memcpy(known32[known_count++ % KEPT], id32, 32);
}

static const uint8_t *any_known(void)
{
    return known_count ? known32[roll(known_count < KEPT ? known_count : KEPT)] : NULL;
}

struct word {
    const char *type;
    const char *content;
    bool has_target;
};

static struct word any_word(void)
{
    const uint8_t *known = any_known();
    const char *ref = known ? rig_hex(&rig, known, 32) : "00";
    const char *text = rig_text(&rig, "{\"text\":\"words %zu\"}", (size_t)roll(1000));
    const struct word WORDS[] = {
        {"Post", text, false},
        {"Post", text, false},
        {"Like", rig_text(&rig, "{\"ref_id\":\"%s\"}", ref), false},
        {"Unlike", rig_text(&rig, "{\"ref_id\":\"%s\"}", ref), false},
        {"Profile", rig_text(&rig, "{\"display_name\":\"n%zu\"}", (size_t)roll(9)), false},
        {"Update", text, true},
        {"Delete", "", true},
        {"Post", "not even JSON", false},
    };
    return WORDS[roll(sizeof WORDS / sizeof *WORDS)];
}

static void push_some(void)
{
    struct sender *sender = &senders[roll(SENDERS)];
    struct enc_event events[SENDER_EVENTS_MAX];
    size_t count = roll(4);
    for (size_t i = 0; i < count; i++) {
        struct word word = any_word();
        const uint8_t *target = word.has_target ? any_known() : NULL;
        events[i] = sender_event(sender, roll(2) ? OWNER : MEMBER, target ? word.type : "Post",
                                 word.content, target);
        events[i].is_erased = roll(10) == 0;
        know(events[i].id32);
    }
    rig_send(&rig, rig_path(&rig, own32, "/push"), sender_pack(sender, events, count));
}

static void push_again(void)
{
    struct sender *sender = &senders[roll(SENDERS)];
    if (sender->next_push_seq > 1)
        rig_send(&rig, rig_path(&rig, own32, "/push"),
                 sender->payloads[1 + roll(sender->next_push_seq - 1)]);
}

/* Accepted or not: both happen. */
static void commit_some(void)
{
    struct word word = any_word();
    const uint8_t *target = word.has_target ? any_known() : NULL;
    if (roll(12) == 0) {
        rig_send(&rig, "/", sender_follow_body(&senders[roll(SENDERS)], own32, NULL));
        return;
    }
    if (word.has_target && !target)
        return;
    rig_send(&rig, "/",
             rig_body(&rig, &(struct draft){OWNER, own32, word.type, word.content, target, 0}));
}

static void learn_own(void)
{
    const struct enc_json *posts = enc_json_get(timeline_get(&rig, own32, "/posts"), "posts");
    uint8_t id32[32];
    for (const struct enc_json *at = posts->child; at; at = at->next) {
        json_hex(at, "id", id32, 32);
        know(id32);
    }
}

static void live(size_t steps)
{
    for (size_t i = 0; i < steps; i++) {
        uint64_t what = roll(8);
        if (what < 3)
            commit_some();
        else if (what < 6)
            push_some();
        else if (what < 7)
            push_again();
        else
            learn_own();
        if (roll(4) == 0)
            rig_sleep(&rig, roll(50));
    }
    rig_settle(&rig);
}

/* ---- folding ---- */

static struct enc_fold_config config_of(size_t batch_len)
{
    return (struct enc_fold_config){
        .curve = rig.curve,
        .chunks = &rig.chunks,
        .view = enc_service_at(rig.service)->view,
        .own32 = own32,
        .ord = ord_of(&rig, own32),
        .batch_len = batch_len,
    };
}

static struct enc_bytes rows(void)
{
    return rows_of(&rig, ord_of(&rig, own32), ENC_VIEW_SYNC, NULL);
}

static struct enc_fold_report fold_here(const struct enc_fold_config *config)
{
    struct enc_fold_report report;
    struct enc_snap *snap = NULL;
    struct enc_store *store = enc_data_shard(rig.data, own32);
    cr_assert_eq(enc_snap_open(store, &snap), ENC_ERR_OK);
    cr_assert_eq(enc_fold_into(store, &report, snap, config), ENC_ERR_OK);
    enc_snap_close(snap);
    return report;
}

static void digest(uint8_t digest32[32], uint64_t *count, struct enc_store *store, uint64_t ord)
{
    struct enc_snap *snap = NULL;
    cr_assert_eq(enc_snap_open(store, &snap), ENC_ERR_OK);
    cr_assert_eq(enc_fold_digest(digest32, count, snap, ord), ENC_ERR_OK);
    enc_snap_close(snap);
}

static void drop(const struct enc_fold_config *config)
{
    cr_assert_eq(enc_fold_drop(enc_data_shard(rig.data, own32), config), ENC_ERR_OK);
}

Test(fold, a_rebuild_gives_the_same_bytes)
{
    for (uint64_t seed = 1; seed <= 12; seed++) {
        make(seed);
        live(STEPS);
        if (seed % 3 == 0)
            rig_restart(&rig);
        live(STEPS);
        struct enc_bytes before = rows();
        const struct enc_fold_config config = config_of(seed % 2 ? 0 : 1);
        drop(&config);
        cr_assert_eq(rows().len, 0);
        struct enc_fold_report report = fold_here(&config);
        cr_assert_gt(report.pushed_count, 0);
        cr_assert_gt(report.own_count, 3);
        if (config.batch_len)
            cr_assert_gt(report.transactions, report.own_count, "one event each");
        struct enc_bytes after = rows();
        cr_assert(enc_bytes_equal(before, after), "seed %zu", (size_t)seed);
        cr_assert_gt(after.len, 1000);
        if (seed < 12)
            rig_close(&rig);
    }
}

/* What is made again must not depend on when, or with what beside it. */
Test(fold, life_goes_on_after_a_rebuild)
{
    make(100);
    live(STEPS);
    const struct enc_fold_config config = config_of(4096);
    drop(&config);
    fold_here(&config);
    live(STEPS);
    struct enc_bytes before = rows();
    drop(&config);
    fold_here(&config);
    cr_assert(enc_bytes_equal(before, rows()));
    rig_check(&rig);
}

Test(fold, a_fold_into_another_store_has_the_same_digest)
{
    char dir[96];
    uint8_t here32[32], there32[32];
    uint64_t here_count = 0, there_count = 0;
    struct enc_store_note note;
    struct enc_fold_report report;
    struct enc_snap *snap = NULL;
    struct enc_data *data = NULL;
    make(101);
    live(STEPS);
    snprintf(dir, sizeof dir, "%s/scratch", rig.root);
    struct enc_data_config data_config = rig.data_config;
    data_config.dir = dir;
    cr_assert_eq(enc_data_open(&data, &note, &data_config), ENC_STORE_FAULT_NONE, "%s", note.text);
    const struct enc_fold_config config = config_of(0);
    struct enc_store *scratch = enc_data_shard_at(data, 0);
    cr_assert_eq(enc_snap_open(enc_data_shard(rig.data, own32), &snap), ENC_ERR_OK);
    cr_assert_eq(enc_fold_into(scratch, &report, snap, &config), ENC_ERR_OK);
    enc_snap_close(snap);
    digest(here32, &here_count, enc_data_shard(rig.data, own32), config.ord);
    digest(there32, &there_count, scratch, config.ord);
    cr_assert_eq(here_count, there_count);
    cr_assert_arr_eq(here32, there32, 32);
    enc_data_close(data);
}

Test(fold, a_digest_sees_every_byte)
{
    uint8_t before32[32], after32[32];
    uint64_t count = 0, more = 0;
    make(102);
    live(STEPS);
    uint64_t ord = ord_of(&rig, own32);
    struct enc_store *store = enc_data_shard(rig.data, own32);
    digest(before32, &count, store, ord);
    struct fold fold;
    fold_begin(&fold, &rig, own32, ord);
    cr_assert_eq(enc_rows_put(&fold.rows, ENC_VIEW_OWN + 40, ENC_LIT("k"), ENC_LIT("v")),
                 ENC_ERR_OK);
    fold_apply(&fold);
    digest(after32, &more, store, ord);
    cr_assert_eq(more, count + 1);
    cr_assert_arr_neq(before32, after32, 32);
    const struct enc_fold_config config = config_of(0);
    drop(&config);
    fold_here(&config);
    digest(after32, &more, store, ord);
    cr_assert_eq(more, count, "what no event makes is gone");
    cr_assert_arr_eq(before32, after32, 32);
}

/* Another order of arrival is another history: the fold is not blind to it. */
Test(fold, the_order_of_arrival_matters)
{
    uint8_t first32[32], second32[32];
    uint64_t count = 0;
    for (int is_late = 0; is_late < 2; is_late++) {
        make(103);
        struct enc_event post = sender_post(&senders[0], "liked");
        struct enc_bytes payload = sender_pack(&senders[0], &post, 1);
        const char *path = rig_path(&rig, own32, "/push");
        const char *name = "{\"display_name\":\"ours\"}";
        struct enc_event profile =
            sender_event(&senders[0], OWNER, "Profile", "{\"display_name\":\"theirs\"}", NULL);
        struct enc_bytes second = sender_pack(&senders[0], &profile, 1);
        rig_post(&rig, path, payload);
        if (!is_late)
            rig_post(&rig, path, second);
        rig_accept(&rig, &(struct draft){OWNER, own32, "Profile", name, NULL, 0});
        if (is_late)
            rig_post(&rig, path, second);
        const char *who = rig_hex(&rig, rig.keys[OWNER].pub32, 32);
        const char *action = rig_text(&rig, "/profile/%s", who);
        cr_assert(json_is(timeline_get(&rig, own32, action), "display_name",
                          is_late ? "theirs" : "ours"));
        digest(is_late ? second32 : first32, &count, enc_data_shard(rig.data, own32),
               ord_of(&rig, own32));
        struct enc_bytes before = rows();
        const struct enc_fold_config config = config_of(0);
        drop(&config);
        fold_here(&config);
        cr_assert(enc_bytes_equal(before, rows()));
        if (!is_late)
            rig_close(&rig);
    }
    cr_assert_arr_neq(first32, second32, 32);
}
