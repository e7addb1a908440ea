#include "proto/replay.h"

#include "logic.h"

#include <criterion/criterion.h>
#include <stdlib.h>

enum { LOG_MAX = 32, FIRST_MS = 1750000000001 };

static struct enc_chunk *take_chunk(void *self, size_t len)
{
    (void)self;
    struct enc_chunk *chunk = malloc(len);
    chunk->len = len;
    return chunk;
}

static void give_chunks(void *self, struct enc_chunk *list)
{
    (void)self;
    while (list) {
        struct enc_chunk *next = list->next;
        free(list);
        list = next;
    }
}

static const struct enc_chunk_source CHUNKS = {.take = take_chunk, .give = give_chunks};

static struct enc_replay_config config_now(void)
{
    return (struct enc_replay_config){
        .curve = test_curve(), .chunks = &CHUNKS, .memory_max = 64 << 20, .has_push = true};
}

/* ---- logs that a sequencer made ---- */

struct log {
    struct enc_event events[LOG_MAX];
    uint64_t count;
};

static uint64_t type_seq_of(const struct log *log, struct enc_bytes type)
{
    uint64_t count = 1;
    for (uint64_t i = 0; i < log->count; i++)
        count += enc_bytes_equal(log->events[i].commit.type, type);
    return count;
}

static void sequence(struct enc_event *event)
{
    struct enc_key key = vector_key("seq");
    enc_event_finalise(event, test_curve(), &key);
}

static struct enc_event *append(struct log *log, const struct enc_commit *commit, uint64_t at_ms)
{
    struct enc_event *event = &log->events[log->count];
    *event = (struct enc_event){.commit = *commit, .seq = log->count, .timestamp_ms = at_ms};
    event->type_seq = type_seq_of(log, commit->type);
    if (log->count > 0) {
        struct enc_key key = vector_key("owner");
        if (memcmp(commit->from32, key.pub32, 32) != 0)
            key = vector_key("member");
        memcpy(event->commit.enclave32, log->events[0].commit.enclave32, 32);
        EXPECT_OK(enc_commit_sign(test_curve(), &event->commit, &key));
    }
    sequence(event);
    log->count++;
    return event;
}

static struct enc_event *say(struct log *log, const char *who, const char *type,
                             struct enc_bytes content, const char *tags)
{
    struct enc_commit commit = commit_by(who, type, content, tags);
    commit.exp_ms += log->count; /* equal words are different commits */
    return append(log, &commit, FIRST_MS + 1000 * log->count);
}

static const char RULES[] =
    "{'event':'Post','role':'Owner','ops':['C']},{'event':'Post','role':'Member','ops':['C']},"
    "{'event':'Post','role':'Self','ops':['U','D']},"
    "{'event':'Grant','role':'Owner','ops':['C']},{'event':'Revoke','role':'Owner','ops':['C']},"
    "{'event':'Gate','role':'Owner','ops':['C']},{'event':'Pause','role':'Owner','ops':['C']},"
    "{'event':'Resume','role':'Owner','ops':['C']},"
    "{'event':'Terminate','role':'Owner','ops':['C']},"
    "{'event':'Transfer_Owner','role':'Owner','ops':['C']},"
    "{'event':'Migrate','role':'Owner','ops':['C']}";

static struct log log_with(const char *bundle)
{
    struct log log = {.count = 0};
    struct enc_key owner = vector_key("owner");
    struct enc_bytes content =
        text("{'enc_v':1,'RBAC':{'roles':['Member'],'schema':[%s],'initial_state':"
             "{'Owner':['%s']}},'bundle':%s}",
             RULES, hex32(owner.pub32), bundle);
    struct enc_commit commit = {.type = ENC_LIT("Manifest"), .content = content};
    commit.exp_ms = FIRST_MS;
    EXPECT_OK(enc_commit_sign(test_curve(), &commit, &owner));
    append(&log, &commit, FIRST_MS);
    return log;
}

static void grant_member(struct log *log)
{
    struct enc_key member = vector_key("member");
    say(log, "owner", "Grant", text("{'identity':'%s','role':'Member'}", hex32(member.pub32)),
        "[]");
}

static struct enc_replay_verdict verdict_with(const struct log *log,
                                              const struct enc_replay_config *config)
{
    struct enc_replay replay;
    enc_replay_init(&replay, config);
    bool is_sound = true;
    for (uint64_t i = 0; i < log->count && is_sound; i++) {
        struct enc_event event = log->events[i];
        is_sound = enc_replay_feed(&replay, &event);
    }
    cr_assert_eq(is_sound && enc_replay_finish(&replay), replay.verdict.fault == ENC_REPLAY_SOUND);
    cr_assert_eq(enc_replay_finish(&replay), replay.verdict.fault == ENC_REPLAY_SOUND);
    struct enc_replay_verdict verdict = replay.verdict;
    enc_replay_fini(&replay);
    return verdict;
}

static struct enc_replay_verdict verdict_of(const struct log *log)
{
    struct enc_replay_config config = config_now();
    return verdict_with(log, &config);
}

static void expect(const struct log *log, enum enc_replay_fault fault, uint64_t seq)
{
    struct enc_replay_verdict got = verdict_of(log);
    cr_assert_eq(got.fault, fault, "%s instead of %s", enc_replay_fault_name(got.fault),
                 enc_replay_fault_name(fault));
    cr_assert_eq(got.seq, seq);
}

static void expect_refused(const struct log *log, uint8_t step, enum enc_err err)
{
    struct enc_replay_verdict got = verdict_of(log);
    cr_assert_eq(got.fault, ENC_REPLAY_FAULT_REFUSED, "%s", enc_replay_fault_name(got.fault));
    cr_assert_eq(got.seq, log->count - 1);
    cr_assert_eq(got.refusal.step, step, "step %d", got.refusal.step);
    cr_assert_eq(got.refusal.err, err, "%s", enc_err_row(got.refusal.err)->code);
}

static struct log vector_log(void)
{
    struct log log = {.count = 5};
    for (unsigned i = 0; i < 5; i++) {
        log.events[i] = vector_event(i);
        log.events[i].type_seq = 1;
    }
    log.events[4].type_seq = type_seq_of(&(struct log){.count = 0}, ENC_LIT("")) +
                             enc_bytes_equal(log.events[4].commit.type, ENC_LIT("Post"));
    return log;
}

/* ---- the worked vectors ---- */

struct seen {
    struct enc_replay_leaf leaves[8];
    size_t count;
};

static bool see(void *opaque, const struct enc_replay *replay, const struct enc_replay_leaf *leaf)
{
    struct seen *seen = opaque;
    cr_assert_eq(replay->ct.count, leaf->index + 1);
    seen->leaves[seen->count++] = *leaf;
    return true;
}

static struct enc_sth vector_head(const char *name)
{
    char path[32];
    struct enc_sth head;
    snprintf(path, sizeof path, "%s.t", name);
    head.t_ms = vector_u64(path);
    snprintf(path, sizeof path, "%s.ts", name);
    head.ts = vector_u64(path);
    snprintf(path, sizeof path, "%s.r", name);
    vector_hex(head.r32, 32, path);
    snprintf(path, sizeof path, "%s.sig", name);
    vector_hex(head.sig64, 64, path);
    return head;
}

static void expect_state(struct enc_replay *replay, const char *path)
{
    uint8_t hash32[32];
    enc_replay_state_hash(replay, hash32);
    expect_vector(enc_bytes_of(hash32, 32), path);
}

Test(replay, of_the_vectors_gives_their_roots)
{
    struct seen seen = {.count = 0};
    struct enc_replay_config config = config_now();
    struct enc_sth heads[2] = {vector_head("sth1"), vector_head("sth2")};
    struct log log = vector_log();
    config.observe = see;
    config.opaque = &seen;
    struct enc_replay replay;
    enc_replay_init(&replay, &config);
    enc_replay_expect(&replay, heads, 2);
    cr_assert(enc_replay_feed(&replay, &log.events[0]));
    expect_state(&replay, "smt.root_after_manifest");
    cr_assert(enc_replay_feed(&replay, &log.events[1]));
    expect_state(&replay, "smt.root_after_grant");
    cr_assert(enc_replay_feed(&replay, &log.events[2]));
    cr_assert(enc_replay_feed(&replay, &log.events[3]));
    expect_state(&replay, "smt.root_after_update");
    cr_assert_eq(seen.count, 1);
    expect_vector(enc_bytes_of(seen.leaves[0].events_root32, 32), "bundle0.events_root");
    expect_vector(enc_bytes_of(seen.leaves[0].state_hash32, 32), "bundle0.state_hash");
    cr_assert(enc_replay_feed(&replay, &log.events[4]));
    cr_assert_eq(replay.bundle.count, 1);
    cr_assert(enc_replay_finish(&replay)); /* sth2: the timer had closed the last bundle */
    cr_assert_eq(seen.count, 2);
    expect_vector(enc_bytes_of(seen.leaves[1].events_root32, 32), "bundle1.events_root");
    cr_assert_eq(replay.ct.count, 2);
    cr_assert_eq(enc_replay_find(&replay, log.events[2].id32)->status, ENC_EVENT_UPDATED);
    cr_assert_eq(enc_replay_find(&replay, log.events[2].id32)->by->seq, 3);
    cr_assert_null(enc_replay_find(&replay, log.events[2].commit.hash32));
    enc_replay_fini(&replay);
}

/* ---- every single member of an event ---- */

struct mutation {
    const char *what;
    size_t offset; /* of a byte in struct enc_event */
    enum enc_replay_fault fault;
};

#define MUTATION(member, fault)                                                                    \
    {                                                                                              \
#member, offsetof(struct enc_event, member), ENC_REPLAY_FAULT_##fault                      \
    }

Test(replay, catches_and_names_every_single_changed_member)
{
    static const struct mutation ROWS[] = {
        MUTATION(commit.hash32, HASH),
        MUTATION(commit.enclave32, ENCLAVE),
        MUTATION(commit.from32, HASH),
        MUTATION(commit.sig64, SIG),
        MUTATION(commit.exp_ms, HASH),
        MUTATION(id32, ID),
        MUTATION(sequencer32, SEQUENCER),
        MUTATION(seq_sig64, SEQ_SIG),
        MUTATION(seq, SEQ),
        MUTATION(type_seq, TYPE_SEQ),
        MUTATION(timestamp_ms, SEQ_SIG),
    };
    struct log honest = vector_log();
    expect(&honest, ENC_REPLAY_SOUND, 0);
    for (unsigned at = 0; at < 5; at++) {
        for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
            struct log log = honest;
            struct enc_replay_config config = config_now();
            ((uint8_t *)&log.events[at])[ROWS[i].offset] ^= 1;
            config.enclave32 = honest.events[0].commit.enclave32;
            config.sequencer32 = honest.events[0].sequencer32;
            struct enc_replay_verdict got = verdict_with(&log, &config);
            cr_assert_eq(got.fault, ROWS[i].fault, "%s of %u: %s", ROWS[i].what, at,
                         enc_replay_fault_name(got.fault));
            cr_assert_eq(got.seq, at);
        }
    }
}

Test(replay, catches_changed_strings)
{
    struct log log = vector_log();
    log.events[2].commit.content = ENC_LIT("hellO");
    expect(&log, ENC_REPLAY_FAULT_HASH, 2);
    log = vector_log();
    log.events[2].commit.type = ENC_LIT("Note");
    expect(&log, ENC_REPLAY_FAULT_HASH, 2);
    log = vector_log();
    log.events[2].commit.tags = tags_of("[['lang','de']]");
    expect(&log, ENC_REPLAY_FAULT_HASH, 2);
    log = vector_log();
    log.events[0].commit.type = ENC_LIT("Post");
    expect(&log, ENC_REPLAY_FAULT_MANIFEST, 0);
}

Test(replay, catches_dropped_repeated_and_swapped_events)
{
    for (unsigned at = 1; at < 4; at++) {
        struct log log = vector_log();
        memmove(&log.events[at], &log.events[at + 1], (4 - at) * sizeof log.events[0]);
        log.count = 4;
        expect(&log, ENC_REPLAY_FAULT_SEQ, at);
        log = vector_log();
        log.events[at + 1] = log.events[at];
        expect(&log, ENC_REPLAY_FAULT_SEQ, at + 1);
        log = vector_log();
        struct enc_event kept = log.events[at];
        log.events[at] = log.events[at + 1];
        log.events[at + 1] = kept;
        expect(&log, ENC_REPLAY_FAULT_SEQ, at);
    }
    struct log nothing = {.count = 0};
    expect(&nothing, ENC_REPLAY_FAULT_MANIFEST, 0);
}

/* ---- a sequencer that signs what it must not ---- */

Test(replay, catches_a_sequencer_that_turns_the_clock_back)
{
    struct log log = log_with("{'size':4,'timeout':0}");
    struct enc_event *event = say(&log, "owner", "Post", ENC_LIT("x"), "[]");
    event->timestamp_ms = FIRST_MS - 1;
    sequence(event);
    expect(&log, ENC_REPLAY_FAULT_TIMESTAMP, 1);
}

Test(replay, catches_a_commit_taken_twice)
{
    struct log log = log_with("{'size':4,'timeout':0}");
    struct enc_event *first = say(&log, "owner", "Post", ENC_LIT("x"), "[]");
    append(&log, &first->commit, FIRST_MS + 5000);
    expect(&log, ENC_REPLAY_FAULT_DUPLICATE, 2);
}

Test(replay, catches_a_second_manifest)
{
    struct log log = log_with("{'size':4,'timeout':0}");
    log.events[1] = log.events[0];
    log.events[1].seq = 1;
    log.count = 2;
    sequence(&log.events[1]);
    expect(&log, ENC_REPLAY_FAULT_MANIFEST, 1);
}

Test(replay, catches_commits_that_no_role_permits)
{
    struct log log = log_with("{'size':4,'timeout':0}");
    say(&log, "member", "Post", ENC_LIT("not yet"), "[]");
    expect_refused(&log, 7, ENC_ERR_UNAUTHORIZED);
    log = log_with("{'size':4,'timeout':0}");
    grant_member(&log);
    say(&log, "member", "Post", ENC_LIT("now"), "[]");
    expect(&log, ENC_REPLAY_SOUND, 0);
    say(&log, "member", "Pause", ENC_LIT(""), "[]");
    expect_refused(&log, 7, ENC_ERR_UNAUTHORIZED);
}

Test(replay, follows_roles_as_they_are_revoked_and_moved)
{
    struct enc_key member = vector_key("member");
    struct log log = log_with("{'size':4,'timeout':0}");
    grant_member(&log);
    say(&log, "owner", "Transfer_Owner", text("{'new_owner':'%s'}", hex32(member.pub32)), "[]");
    say(&log, "member", "Pause", ENC_LIT(""), "[]");
    say(&log, "member", "Resume", ENC_LIT("{}"), "[]");
    say(&log, "member", "Revoke", text("{'identity':'%s','role':'Member'}", hex32(member.pub32)),
        "[]");
    expect(&log, ENC_REPLAY_SOUND, 0);
    say(&log, "owner", "Post", ENC_LIT("was mine"), "[]");
    expect_refused(&log, 7, ENC_ERR_UNAUTHORIZED);
}

Test(replay, catches_what_its_life_forbids)
{
    struct log log = log_with("{'size':4,'timeout':0}");
    say(&log, "owner", "Pause", ENC_LIT(""), "[]");
    say(&log, "owner", "Post", ENC_LIT("x"), "[]");
    expect_refused(&log, 6, ENC_ERR_ENCLAVE_PAUSED);
    log = log_with("{'size':4,'timeout':0}");
    say(&log, "owner", "Resume", ENC_LIT(""), "[]");
    expect_refused(&log, 8, ENC_ERR_INVALID_COMMIT);
    log = log_with("{'size':4,'timeout':0}");
    say(&log, "owner", "Terminate", ENC_LIT(""), "[]");
    expect(&log, ENC_REPLAY_SOUND, 0);
    say(&log, "owner", "Post", ENC_LIT("x"), "[]");
    expect_refused(&log, 6, ENC_ERR_ENCLAVE_TERMINATED);
}

Test(replay, catches_wrong_content_and_closed_gates)
{
    struct log log = log_with("{'size':4,'timeout':0}");
    say(&log, "owner", "Grant", text("{'identity':'x','role':'Member'}"), "[]");
    expect_refused(&log, 8, ENC_ERR_INVALID_CONTENT);
    log = log_with("{'size':4,'timeout':0}");
    grant_member(&log);
    say(&log, "owner", "Gate", text("{'event':'Post','open':false}"), "[]");
    say(&log, "owner", "Post", ENC_LIT("owners pass"), "[]");
    expect(&log, ENC_REPLAY_SOUND, 0);
    say(&log, "member", "Post", ENC_LIT("x"), "[]");
    expect_refused(&log, 7, ENC_ERR_GATE_CLOSED);
}

Test(replay, catches_malformed_types_and_targets)
{
    struct log log = log_with("{'size':4,'timeout':0}");
    struct enc_event *event = say(&log, "owner", "Post", ENC_LIT("x"), "[]");
    struct enc_key owner = vector_key("owner");
    event->commit.type = ENC_LIT("9");
    enc_commit_hash_fill(&event->commit);
    enc_schnorr_sign(test_curve(), event->commit.sig64, &owner, event->commit.hash32);
    sequence(event);
    expect_refused(&log, 1, ENC_ERR_INVALID_COMMIT);
    log = log_with("{'size':4,'timeout':0}");
    say(&log, "owner", "Update", ENC_LIT("x"),
        (const char *)text("[['r','%s']]", hex32(owner.pub32)).data);
    expect_refused(&log, 8, ENC_ERR_EVENT_NOT_FOUND);
}

/* ---- Updates, Deletes, erased content ---- */

static struct log log_with_deletion(void)
{
    struct log log = log_with("{'size':4,'timeout':0}");
    struct enc_event *post = say(&log, "owner", "Post", ENC_LIT("x"), "[]");
    const char *tags = (const char *)text("[['r','%s']]", hex32(post->id32)).data;
    say(&log, "owner", "Update", ENC_LIT("y"), tags);
    say(&log, "owner", "Delete", ENC_LIT(""), tags);
    return log;
}

static void erase(struct enc_event *event)
{
    event->is_erased = true;
    event->commit.content = ENC_LIT("");
}

Test(replay, takes_erased_content_that_a_delete_explains)
{
    struct log log = log_with_deletion();
    expect(&log, ENC_REPLAY_SOUND, 0);
    erase(&log.events[1]);
    erase(&log.events[2]);
    expect(&log, ENC_REPLAY_SOUND, 0);
    log.count = 3;
    expect(&log, ENC_REPLAY_FAULT_ERASED, 1);
    log = log_with_deletion();
    erase(&log.events[3]);
    expect(&log, ENC_REPLAY_FAULT_ERASED, 3);
    log = log_with_deletion();
    erase(&log.events[0]);
    expect(&log, ENC_REPLAY_FAULT_ERASED, 0);
}

Test(replay, of_records_checks_the_hash_of_erased_content)
{
    struct enc_replay_config config = config_now();
    struct log log = log_with_deletion();
    config.is_stored = true;
    erase(&log.events[1]); /* sign left the content's hash in place */
    cr_assert_eq(verdict_with(&log, &config).fault, ENC_REPLAY_SOUND);
    log.events[1].commit.content_hash32[0] ^= 1;
    cr_assert_eq(verdict_with(&log, &config).fault, ENC_REPLAY_FAULT_HASH);
}

Test(replay, catches_a_change_of_what_is_deleted)
{
    struct log log = log_with_deletion();
    const char *tags = (const char *)text("[['r','%s']]", hex32(log.events[1].id32)).data;
    say(&log, "owner", "Update", ENC_LIT("z"), tags);
    expect_refused(&log, 8, ENC_ERR_ALREADY_DELETED);
}

/* ---- bundles ---- */

Test(replay, closes_full_overdue_and_final_bundles)
{
    struct seen seen = {.count = 0};
    struct enc_replay_config config = config_now();
    struct log log = log_with("{'size':3,'timeout':1500}");
    config.observe = see;
    config.opaque = &seen;
    for (int i = 0; i < 3; i++)
        say(&log, "owner", "Post", ENC_LIT("x"), "[]")->timestamp_ms = FIRST_MS + 1000;
    log.events[3].timestamp_ms = FIRST_MS + 2600;
    for (int i = 1; i < 4; i++)
        sequence(&log.events[i]);
    say(&log, "owner", "Terminate", ENC_LIT(""), "[]");
    cr_assert_eq(verdict_with(&log, &config).fault, ENC_REPLAY_SOUND);
    cr_assert_eq(seen.count, 2);
    cr_assert_eq(seen.leaves[0].count, 3);
    cr_assert_eq(seen.leaves[0].closed_min_ms, FIRST_MS + 1000);
    cr_assert_eq(seen.leaves[0].closed_max_ms, FIRST_MS + 1000);
    cr_assert_eq(seen.leaves[1].first_seq, 3);
    cr_assert_eq(seen.leaves[1].count, 2);

    seen.count = 0;
    log.count = 2;
    say(&log, "owner", "Post", ENC_LIT("late"), "[]"); /* 2000 ms after the first */
    cr_assert_eq(verdict_with(&log, &config).fault, ENC_REPLAY_SOUND);
    cr_assert_eq(seen.count, 1);
    cr_assert_eq(seen.leaves[0].count, 2);
    cr_assert_eq(seen.leaves[0].closed_min_ms, FIRST_MS + 1500);
    cr_assert_eq(seen.leaves[0].closed_max_ms, FIRST_MS + 2000);
}

Test(replay, closes_the_last_bundle_when_told_and_not_before_its_time)
{
    struct enc_replay_config config = config_now();
    struct log log = log_with("{'size':3,'timeout':1500}");
    struct enc_replay replay;
    enc_replay_init(&replay, &config);
    cr_assert(enc_replay_feed(&replay, &log.events[0]));
    cr_assert(enc_replay_close_bundle(&replay, FIRST_MS + 1499));
    cr_assert_eq(replay.ct.count, 0);
    cr_assert(enc_replay_close_bundle(&replay, FIRST_MS + 1500));
    cr_assert_eq(replay.ct.count, 1);
    cr_assert(enc_replay_close_bundle(&replay, FIRST_MS + 9999));
    cr_assert_eq(replay.ct.count, 1);
    enc_replay_fini(&replay);
}

Test(replay, takes_a_migrate_over_either_root_of_an_overdue_bundle)
{
    struct log before = log_with("{'size':3,'timeout':500}");
    struct enc_key member = vector_key("member");
    uint8_t empty32[32];
    struct enc_frontier frontier = {.count = 0};
    enc_frontier_root(&frontier, empty32);
    struct log log = before;
    say(&log, "owner", "Migrate",
        text("{'new_sequencer':'%s','prev_seq':0,'ct_root':'%s'}", hex32(member.pub32),
             hex32(empty32)),
        "[]");
    expect(&log, ENC_REPLAY_SOUND, 0);

    struct enc_replay_config config = config_now();
    struct enc_replay replay;
    enc_replay_init(&replay, &config);
    cr_assert(enc_replay_feed(&replay, &before.events[0]));
    cr_assert(enc_replay_close_bundle(&replay, FIRST_MS + 500));
    enc_frontier_root(&replay.ct, empty32);
    enc_replay_fini(&replay);
    log = before;
    say(&log, "owner", "Migrate",
        text("{'new_sequencer':'%s','prev_seq':0,'ct_root':'%s'}", hex32(member.pub32),
             hex32(empty32)),
        "[]");
    expect(&log, ENC_REPLAY_SOUND, 0);
    say(&log, "owner", "Post", ENC_LIT("x"), "[]");
    expect_refused(&log, 6, ENC_ERR_ENCLAVE_MIGRATED);

    empty32[0] ^= 1;
    log = before;
    say(&log, "owner", "Migrate",
        text("{'new_sequencer':'%s','prev_seq':0,'ct_root':'%s'}", hex32(member.pub32),
             hex32(empty32)),
        "[]");
    expect_refused(&log, 8, ENC_ERR_INVALID_CONTENT);
}

Test(replay, of_records_checks_the_number_of_the_bundle)
{
    struct enc_replay_config config = config_now();
    struct log log = log_with("{'size':1,'timeout':0}");
    say(&log, "owner", "Post", ENC_LIT("x"), "[]")->bundle = 1;
    config.is_stored = true;
    cr_assert_eq(verdict_with(&log, &config).fault, ENC_REPLAY_SOUND);
    log.events[1].bundle = 0;
    struct enc_replay_verdict got = verdict_with(&log, &config);
    cr_assert_eq(got.fault, ENC_REPLAY_FAULT_BUNDLE);
    cr_assert_eq(got.want, 1);
    cr_assert_eq(got.got, 0);
}

/* ---- a Migrate, and who goes on ---- */

static struct enc_event *say_at(struct log *log, const char *node, const char *type,
                                struct enc_bytes content)
{
    struct enc_event *event = say(log, "owner", type, content, "[]");
    struct enc_key key = vector_key(node);
    enc_event_finalise(event, test_curve(), &key);
    return event;
}

static void migrate(struct log *log, const char *node, const char *to)
{
    uint8_t root32[32];
    struct enc_key key = vector_key(to);
    struct enc_replay replay;
    struct enc_replay_config config = config_now();
    enc_replay_init(&replay, &config);
    for (uint64_t i = 0; i < log->count; i++) {
        struct enc_event event = log->events[i];
        cr_assert(enc_replay_feed(&replay, &event));
    }
    enc_frontier_root(&replay.ct, root32);
    enc_replay_fini(&replay);
    say_at(log, node, "Migrate",
           text("{'new_sequencer':'%s','prev_seq':%d,'ct_root':'%s'}", hex32(key.pub32),
                (int)log->count - 1, hex32(root32)));
}

static struct log moved_log(void)
{
    struct log log = log_with("{'size':2,'timeout':0}");
    say(&log, "owner", "Post", ENC_LIT("old"), "[]");
    migrate(&log, "seq", "member");
    return log;
}

Test(replay, behind_a_migrate_the_named_node_goes_on)
{
    struct log log = moved_log();
    say_at(&log, "member", "Post", ENC_LIT("new"));
    expect(&log, ENC_REPLAY_SOUND, 0);
    say_at(&log, "seq", "Post", ENC_LIT("the old one cannot stop"));
    expect(&log, ENC_REPLAY_FAULT_SEQUENCER, 4);
    log.count--;
    migrate(&log, "member", "seq");
    say_at(&log, "seq", "Post", ENC_LIT("it came home"));
    expect(&log, ENC_REPLAY_SOUND, 0);
}

Test(replay, behind_a_migrate_nobody_else_goes_on)
{
    struct log log = moved_log();
    say_at(&log, "owner", "Post", ENC_LIT("a third one"));
    expect(&log, ENC_REPLAY_FAULT_SEQUENCER, 3);
    log.count--;
    say_at(&log, "seq", "Post", ENC_LIT("the old one"));
    expect_refused(&log, 6, ENC_ERR_ENCLAVE_MIGRATED);
    log.count -= 2;
    say_at(&log, "member", "Post", ENC_LIT("before it was asked"));
    expect(&log, ENC_REPLAY_FAULT_SEQUENCER, 2);
}

Test(replay, a_migrate_to_the_node_itself_ends_the_log)
{
    struct log log = log_with("{'size':2,'timeout':0}");
    migrate(&log, "seq", "seq");
    say_at(&log, "seq", "Post", ENC_LIT("x"));
    expect_refused(&log, 6, ENC_ERR_ENCLAVE_MIGRATED);
}

Test(replay, what_was_paused_moves_paused)
{
    struct log log = log_with("{'size':2,'timeout':0}");
    say(&log, "owner", "Pause", ENC_LIT(""), "[]");
    migrate(&log, "seq", "member");
    say_at(&log, "member", "Post", ENC_LIT("x"));
    expect_refused(&log, 6, ENC_ERR_ENCLAVE_PAUSED);
    log.count--;
    say_at(&log, "member", "Resume", ENC_LIT(""));
    say_at(&log, "member", "Post", ENC_LIT("x"));
    expect(&log, ENC_REPLAY_SOUND, 0);
}

Test(replay, demands_who_is_in_charge_at_the_end)
{
    struct enc_key first = vector_key("seq");
    struct enc_key second = vector_key("member");
    struct enc_key nobody = vector_key("owner");
    struct enc_replay_config config = config_now();
    struct log log = moved_log();
    config.sequencer32 = second.pub32;
    cr_assert_eq(verdict_with(&log, &config).fault, ENC_REPLAY_SOUND, "it is on its way there");
    config.sequencer32 = first.pub32;
    cr_assert_eq(verdict_with(&log, &config).fault, ENC_REPLAY_SOUND);
    say_at(&log, "member", "Post", ENC_LIT("new"));
    struct enc_replay_verdict got = verdict_with(&log, &config);
    cr_assert_eq(got.fault, ENC_REPLAY_FAULT_SEQUENCER);
    cr_assert_eq(got.seq, 3);
    config.sequencer32 = second.pub32;
    cr_assert_eq(verdict_with(&log, &config).fault, ENC_REPLAY_SOUND);
    config.sequencer32 = nobody.pub32;
    cr_assert_eq(verdict_with(&log, &config).fault, ENC_REPLAY_FAULT_SEQUENCER);
}

Test(replay, takes_over_only_what_is_on_its_way)
{
    struct enc_key second = vector_key("member");
    struct enc_replay_config config = config_now();
    struct log log = moved_log();
    struct enc_replay replay;
    enc_replay_init(&replay, &config);
    for (uint64_t i = 0; i < log.count; i++) {
        cr_assert_not(enc_replay_take_over(&replay));
        cr_assert(enc_replay_feed(&replay, &log.events[i]));
    }
    cr_assert(enc_replay_take_over(&replay));
    cr_assert_eq(replay.status, ENC_STATUS_ACTIVE);
    cr_assert_eq(replay.since_seq, 3);
    cr_assert_arr_eq(replay.sequencer32, second.pub32, 32);
    cr_assert_not(enc_replay_take_over(&replay), "once");
    enc_replay_fini(&replay);
}

/* Heads over the log up to the Migrate and past it, signed by one node or the other. */
static struct enc_replay_verdict verdict_of_head(const struct log *log, uint64_t ts,
                                                 const char *node)
{
    struct enc_replay replay;
    struct enc_replay_config config = config_now();
    struct enc_key key = vector_key(node);
    struct enc_sth head = {.ts = ts, .t_ms = FIRST_MS};
    enc_replay_init(&replay, &config);
    for (uint64_t i = 0; i < log->count && replay.ct.count < ts; i++) {
        struct enc_event event = log->events[i];
        cr_assert(enc_replay_feed(&replay, &event));
    }
    cr_assert_eq(replay.ct.count, ts);
    enc_frontier_root(&replay.ct, head.r32);
    enc_replay_fini(&replay);
    enc_sth_sign(test_curve(), &head, &key);
    enc_replay_init(&replay, &config);
    enc_replay_expect(&replay, &head, 1);
    bool is_sound = true;
    for (uint64_t i = 0; i < log->count && is_sound; i++) {
        struct enc_event event = log->events[i];
        is_sound = enc_replay_feed(&replay, &event);
    }
    cr_assert_eq(is_sound && enc_replay_finish(&replay), replay.verdict.fault == ENC_REPLAY_SOUND);
    struct enc_replay_verdict verdict = replay.verdict;
    enc_replay_fini(&replay);
    return verdict;
}

Test(replay, heads_at_the_seam_may_be_of_both_nodes)
{
    struct log log = moved_log(); /* two bundles: 0 and 1, the Migrate */
    say_at(&log, "member", "Post", ENC_LIT("new"));
    say_at(&log, "member", "Post", ENC_LIT("new"));
    static const struct {
        uint64_t ts;
        const char *node;
        enum enc_replay_fault fault;
    } ROWS[] = {
        {1, "seq", ENC_REPLAY_SOUND},
        {1, "member", ENC_REPLAY_FAULT_HEAD_SIG},
        {2, "seq", ENC_REPLAY_SOUND},
        {2, "member", ENC_REPLAY_SOUND},
        {3, "member", ENC_REPLAY_SOUND},
        {3, "seq", ENC_REPLAY_FAULT_HEAD_SIG},
        {2, "owner", ENC_REPLAY_FAULT_HEAD_SIG},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++)
        cr_assert_eq(verdict_of_head(&log, ROWS[i].ts, ROWS[i].node).fault, ROWS[i].fault, "%zu",
                     i);
}

static bool disagree(void *opaque, const struct enc_replay *replay,
                     const struct enc_replay_leaf *leaf)
{
    (void)opaque;
    (void)replay;
    return leaf->index == 0;
}

Test(replay, ends_where_the_observer_disagrees)
{
    struct enc_replay_config config = config_now();
    struct log log = log_with("{'size':1,'timeout':0}");
    say(&log, "owner", "Post", ENC_LIT("x"), "[]");
    config.observe = disagree;
    struct enc_replay_verdict got = verdict_with(&log, &config);
    cr_assert_eq(got.fault, ENC_REPLAY_FAULT_LEAF);
    cr_assert_eq(got.seq, 1);
}

/* ---- tree heads ---- */

static struct enc_replay_verdict verdict_with_heads(const struct enc_sth *heads, size_t count)
{
    struct enc_replay_config config = config_now();
    struct log log = vector_log();
    struct enc_replay replay;
    enc_replay_init(&replay, &config);
    bool is_sound = true;
    enc_replay_expect(&replay, heads, count);
    for (unsigned i = 0; i < 5 && is_sound; i++)
        is_sound = enc_replay_feed(&replay, &log.events[i]);
    is_sound = is_sound && enc_replay_finish(&replay);
    struct enc_replay_verdict verdict = replay.verdict;
    cr_assert_eq(is_sound, verdict.fault == ENC_REPLAY_SOUND);
    enc_replay_fini(&replay);
    return verdict;
}

static struct enc_sth signed_head(uint64_t ts, const uint8_t r32[32], uint64_t t_ms)
{
    struct enc_key key = vector_key("seq");
    struct enc_sth head = {.ts = ts, .t_ms = t_ms};
    memcpy(head.r32, r32, 32);
    enc_sth_sign(test_curve(), &head, &key);
    return head;
}

Test(replay, holds_heads_to_the_log)
{
    struct enc_sth one = vector_head("sth1");
    struct enc_sth two = vector_head("sth2");
    struct enc_frontier none = {.count = 0};
    uint8_t empty32[32];
    enc_frontier_root(&none, empty32);
    struct enc_sth zero = signed_head(0, empty32, FIRST_MS);
    const struct enc_sth good[] = {zero, zero, one, one, two};
    cr_assert_eq(verdict_with_heads(good, 5).fault, ENC_REPLAY_SOUND);

    struct enc_sth bad = one;
    bad.sig64[5] ^= 1;
    cr_assert_eq(verdict_with_heads(&bad, 1).fault, ENC_REPLAY_FAULT_HEAD_SIG);
    bad = signed_head(1, two.r32, one.t_ms);
    cr_assert_eq(verdict_with_heads(&bad, 1).fault, ENC_REPLAY_FAULT_HEAD_ROOT);
    bad = signed_head(2, one.r32, two.t_ms);
    cr_assert_eq(verdict_with_heads(&bad, 1).fault, ENC_REPLAY_FAULT_HEAD_ROOT);
    bad = signed_head(0, one.r32, FIRST_MS);
    cr_assert_eq(verdict_with_heads(&bad, 1).fault, ENC_REPLAY_FAULT_HEAD_ROOT);
    bad = signed_head(2, two.r32, FIRST_MS); /* before the timer could close the last bundle */
    cr_assert_eq(verdict_with_heads(&bad, 1).fault, ENC_REPLAY_FAULT_HEAD_SIZE);
    bad = signed_head(3, two.r32, two.t_ms);
    struct enc_replay_verdict got = verdict_with_heads(&bad, 1);
    cr_assert_eq(got.fault, ENC_REPLAY_FAULT_HEAD_SIZE);
    cr_assert_eq(got.seq, 3);
    cr_assert_eq(got.want, 1);
    cr_assert_eq(got.got, 3);
}

/* ---- bounds and words ---- */

Test(replay, says_when_memory_ends)
{
    struct enc_replay_config config = config_now();
    struct log log = vector_log();
    config.memory_max = 4096; /* not even the map of ids fits */
    cr_assert_eq(verdict_with(&log, &config).fault, ENC_REPLAY_FAULT_MEMORY);
}

Test(replay, says_what_is_wrong)
{
    struct enc_buffer out = buffer();
    struct enc_replay_verdict gap = {.fault = ENC_REPLAY_FAULT_SEQ, .seq = 5, .want = 5, .got = 6};
    enc_replay_describe(&out, &gap);
    cr_assert_str_eq(written(&out), "seq 5: events are missing or out of order (due 5, found 6)");
    out = buffer();
    struct enc_replay_verdict refused = {
        .fault = ENC_REPLAY_FAULT_REFUSED, .seq = 7, .refusal = {ENC_ERR_UNAUTHORIZED, 7}};
    enc_replay_describe(&out, &refused);
    cr_assert_str_eq(written(&out), "seq 7: a node must refuse this here (step 7, UNAUTHORIZED)");
    out = buffer();
    struct enc_replay_verdict head = {.fault = ENC_REPLAY_FAULT_HEAD_ROOT, .seq = 2};
    enc_replay_describe(&out, &head);
    cr_assert_str_eq(written(&out), "tree head of size 2: the tree head is over another log");
    for (int i = 0; i < ENC_REPLAY_FAULT_COUNT; i++)
        cr_assert_gt(strlen(enc_replay_fault_name((enum enc_replay_fault)i)), 1);
}
