#include "services/timeline.h"
#include "actors/splitmix.h"
#include "timeline_fixture.h"

#include <stdio.h>

static struct rig rig;

static void fini(void)
{
    if (rig.sim)
        rig_close(&rig);
}

TestSuite(timeline, .fini = fini);

Test(timeline, has_the_seven_fields_of_the_seed)
{
    const struct enc_route *rows[ENC_ROUTE_MAX];
    const char *tables[ENC_TABLE_MAX];
    const struct enc_enclave *enclave = &ENC_SERVICE_TIMELINE.enclave;
    cr_assert(enclave->has_dataview && enclave->has_bootstrap);
    cr_assert_not(enclave->has_push || enclave->encrypted);
    cr_assert_eq(enclave->addressing.segment, 1);
    cr_assert_str_eq(enclave->addressing.alias, "user");
    cr_assert_eq(enc_enclave_routes(enclave, rows), 6 + 1 + 1 + 8);
    cr_assert_eq(enc_enclave_tables(enclave, tables), 2);
    cr_assert_eq(enc_enclave_reads(enclave, rows), 7);
}

Test(timeline, its_routes_are_the_seeds_in_their_order)
{
    static const char *const WANTED[][2] = {
        {"/posts", "handleGetPosts"},
        {"/posts/:id", "handleGetPost"},
        {"/feed", "handleGetFeed"},
        {"/likes/:ref", "handleGetLikes"},
        {"/profile/:id", "handleGetProfile"},
        {"/search", "handleSearch"},
        {"/push", "handlePush"},
        {"/health", "handleHealth"},
    };
    struct enc_routes extra = ENC_SERVICE_TIMELINE.enclave.extra_routes;
    cr_assert_eq(extra.count, sizeof WANTED / sizeof WANTED[0]);
    for (size_t i = 0; i < extra.count; i++) {
        cr_assert_str_eq(extra.rows[i].path, WANTED[i][0]);
        cr_assert_str_eq(extra.rows[i].name, WANTED[i][1]);
        cr_assert_eq(extra.rows[i].method == ENC_METHOD_POST, i == 6);
    }
}

/* ---- writes and reads through the front door ---- */

static struct enc_event write_as(enum who who, const uint8_t *enclave32, const char *type,
                                 const char *content)
{
    return rig_accept(&rig, &(struct draft){who, enclave32, type, content, NULL, 0});
}

static struct enc_event change(const uint8_t *enclave32, const char *type, const char *content,
                               const uint8_t *target32)
{
    return rig_accept(&rig, &(struct draft){OWNER, enclave32, type, content, target32, 0});
}

static void refused(enum who who, const uint8_t *enclave32, const char *type, const char *content,
                    const char *code)
{
    uint8_t before32[32], after32[32];
    rig_dump(&rig, before32);
    struct enc_call *call =
        rig_commit(&rig, &(struct draft){who, enclave32, type, content, NULL, 0});
    uint16_t status = strcmp(code, "UNAUTHORIZED") == 0 ? 403 : 400;
    cr_assert(call_is(call, status, code), "%s %.80s", type, content);
    rig_dump(&rig, after32);
    cr_assert_arr_eq(before32, after32, 32, "a refusal writes nothing");
}

static const char *ref(const uint8_t id32[32])
{
    return rig_text(&rig, "{\"ref_id\":\"%s\"}", rig_hex(&rig, id32, 32));
}

static const char *path(const char *head, const uint8_t id32[32])
{
    return rig_text(&rig, "%s%s", head, rig_hex(&rig, id32, 32));
}

Test(timeline, a_post_is_shown_updated_and_removed)
{
    timeline_open(&rig, 1);
    const uint8_t *id = timeline_create(&rig);
    struct enc_event post = write_as(OWNER, id, "Post", "{\"text\":\"Hello\",\"more\":1}");
    const struct enc_json *page = timeline_get(&rig, id, "/posts");
    const struct enc_json *shown = json_at(page, "posts", 0);
    cr_assert_eq(shown->count, 6);
    cr_assert_eq(json_u64(shown, "seq"), 1);
    cr_assert(json_is(shown, "id", rig_hex(&rig, post.id32, 32)));
    cr_assert(json_is(shown, "from_pub", rig_hex(&rig, rig.keys[OWNER].pub32, 32)));
    cr_assert(json_is(shown, "text", "Hello"));
    cr_assert_eq(json_u64(shown, "timestamp"), post.timestamp_ms);
    cr_assert_eq(json_u64(shown, "likes"), 0);
    cr_assert_eq(enc_json_get(page, "next")->kind, ENC_JSON_NULL);
    change(id, "Update", "{\"text\":\"Bye\"}", post.id32);
    shown = timeline_get(&rig, id, path("/posts/", post.id32));
    cr_assert_eq(shown->count, 6);
    cr_assert(json_is(shown, "text", "Bye"));
    cr_assert_eq(json_u64(shown, "seq"), 1);
    change(id, "Delete", "", post.id32);
    cr_assert(call_is(rig_get(&rig, rig_path(&rig, id, path("/posts/", post.id32))), 404,
                      "EVENT_NOT_FOUND"));
    cr_assert_eq(enc_json_get(timeline_get(&rig, id, "/posts"), "posts")->count, 0);
    cr_assert_eq(enc_json_get(timeline_get(&rig, id, "/feed"), "posts")->count, 0);
    cr_assert_eq(json_u64(timeline_get(&rig, id, "/health"), "posts"), 0);
}

Test(timeline, what_is_removed_leaves_no_row_but_numbers)
{
    size_t before = 0, after = 0;
    timeline_open(&rig, 2);
    const uint8_t *id = timeline_create(&rig);
    struct enc_event first = write_as(OWNER, id, "Post", "{\"text\":\"one\"}");
    struct enc_event me = write_as(OWNER, id, "Profile", "{\"display_name\":\"A\"}");
    change(id, "Delete", "", first.id32);
    change(id, "Delete", "", me.id32);
    rows_of(&rig, ord_of(&rig, id), ENC_VIEW_OWN, &before);
    cr_assert_eq(before, 2, "the states of the two searches");
    struct enc_event post = write_as(OWNER, id, "Post", "{\"text\":\"two\"}");
    change(id, "Update", "{\"text\":\"three\"}", post.id32);
    write_as(MEMBER, id, "Like", ref(post.id32));
    write_as(MEMBER, id, "Unlike", ref(post.id32));
    change(id, "Delete", "", post.id32);
    write_as(OWNER, id, "Profile", "{\"display_name\":\"B\"}");
    me = write_as(OWNER, id, "Profile", "{\"display_name\":\"C\"}");
    change(id, "Update", "{\"display_name\":\"D\"}", me.id32);
    change(id, "Delete", "", me.id32);
    rows_of(&rig, ord_of(&rig, id), ENC_VIEW_OWN, &after);
    cr_assert_eq(after, before);
}

Test(timeline, likes_are_one_for_each_author_and_event)
{
    timeline_open(&rig, 3);
    const uint8_t *id = timeline_create(&rig);
    struct enc_event post = write_as(OWNER, id, "Post", "{\"text\":\"x\"}");
    const char *likes = path("/likes/", post.id32);
    write_as(STRANGER, id, "Like", ref(post.id32));
    struct enc_event again = write_as(STRANGER, id, "Like", ref(post.id32));
    struct enc_event second = write_as(MEMBER, id, "Like", ref(post.id32));
    const struct enc_json *shown = timeline_get(&rig, id, likes);
    cr_assert_eq(json_u64(shown, "count"), 2);
    cr_assert_eq(enc_json_get(shown, "likes")->count, 2);
    cr_assert_eq(json_u64(json_at(shown, "likes", 0), "seq"), 2, "the first stands");
    cr_assert(
        json_is(json_at(shown, "likes", 1), "from_pub", rig_hex(&rig, rig.keys[MEMBER].pub32, 32)));
    cr_assert_eq(json_u64(json_at(timeline_get(&rig, id, "/posts"), "posts", 0), "likes"), 2);
    rig_accept(&rig, &(struct draft){STRANGER, id, "Delete", "", again.id32, 0});
    cr_assert_eq(json_u64(timeline_get(&rig, id, likes), "count"), 2, "that one made no row");
    rig_accept(&rig, &(struct draft){MEMBER, id, "Delete", "", second.id32, 0});
    cr_assert_eq(json_u64(timeline_get(&rig, id, likes), "count"), 1);
    write_as(STRANGER, id, "Unlike", ref(post.id32));
    write_as(STRANGER, id, "Unlike", ref(post.id32));
    shown = timeline_get(&rig, id, likes);
    cr_assert_eq(json_u64(shown, "count"), 0);
    cr_assert_eq(enc_json_get(shown, "likes")->count, 0);
    write_as(STRANGER, id, "Like", ref(post.id32));
    cr_assert_eq(json_u64(timeline_get(&rig, id, likes), "count"), 1, "again after an Unlike");
}

Test(timeline, likes_of_what_is_not_known_are_none)
{
    const uint8_t nothing32[32] = {9};
    timeline_open(&rig, 4);
    const uint8_t *id = timeline_create(&rig);
    const struct enc_json *shown = timeline_get(&rig, id, path("/likes/", nothing32));
    cr_assert(json_is(shown, "ref_id", rig_hex(&rig, nothing32, 32)));
    cr_assert_eq(json_u64(shown, "count"), 0);
}

Test(timeline, a_profile_is_the_newest_of_its_author)
{
    timeline_open(&rig, 5);
    const uint8_t *id = timeline_create(&rig);
    const char *of = path("/profile/", rig.keys[OWNER].pub32);
    cr_assert(call_is(rig_get(&rig, rig_path(&rig, id, of)), 404, "IDENTITY_NOT_FOUND"));
    struct enc_event first =
        write_as(OWNER, id, "Profile", "{\"display_name\":\"A\",\"bio\":\"b\",\"avatar\":\"c\"}");
    const struct enc_json *shown = timeline_get(&rig, id, of);
    cr_assert_eq(shown->count, 4);
    cr_assert(json_is(shown, "bio", "b") && json_is(shown, "avatar", "c"));
    struct enc_event second = write_as(OWNER, id, "Profile", "{\"display_name\":\"B\"}");
    shown = timeline_get(&rig, id, of);
    cr_assert(json_is(shown, "display_name", "B"));
    cr_assert_eq(enc_json_get(shown, "bio")->kind, ENC_JSON_NULL);
    change(id, "Update", "{\"display_name\":\"old\"}", first.id32);
    cr_assert(json_is(timeline_get(&rig, id, of), "display_name", "B"), "not the newest");
    change(id, "Update", "{\"display_name\":\"C\",\"bio\":\"d\"}", second.id32);
    cr_assert(json_is(timeline_get(&rig, id, of), "display_name", "C"));
    change(id, "Update", "no profile at all", second.id32);
    cr_assert(json_is(timeline_get(&rig, id, of), "display_name", "C"), "accepted, without rows");
    change(id, "Delete", "", first.id32);
    cr_assert(json_is(timeline_get(&rig, id, of), "display_name", "C"));
    change(id, "Delete", "", second.id32);
    cr_assert(call_is(rig_get(&rig, rig_path(&rig, id, of)), 404, "IDENTITY_NOT_FOUND"));
}

static const char *text_of(size_t count, const char *point)
{
    char *text = (char *)enc_arena_take(&rig.arena, count * strlen(point) + 64);
    char *at = stpcpy(text, "{\"text\":\"");
    for (size_t i = 0; i < count; i++)
        at = stpcpy(at, point);
    strcpy(at, "\"}");
    return text;
}

Test(timeline, contents_obey_their_rules)
{
    static const struct {
        const char *type;
        const char *content;
    } BAD[] = {
        {"Post", ""},
        {"Post", "text"},
        {"Post", "{}"},
        {"Post", "[]"},
        {"Post", "{\"text\":\"\"}"},
        {"Post", "{\"text\":7}"},
        {"Post", "{\"text\":null}"},
        {"Post", "{\"text\":\"\\ud800\"}"},
        {"Profile", "{}"},
        {"Profile", "{\"display_name\":\"\"}"},
        {"Profile", "{\"display_name\":1}"},
        {"Profile", "{\"display_name\":\"a\",\"bio\":null}"},
        {"Profile", "{\"display_name\":\"a\",\"avatar\":[]}"},
        {"Like", "{}"},
        {"Like", "{\"ref_id\":\"ab\"}"},
        {"Unlike", "{\"ref_id\":7}"},
        {"Unlike", ""},
        {"Follow", "{}"},
        {"Unfollow", "{\"enclave\":\"ab\"}"},
    };
    timeline_open(&rig, 6);
    const uint8_t *id = timeline_create(&rig);
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
        refused(OWNER, id, BAD[i].type, BAD[i].content, "INVALID_CONTENT");
    refused(STRANGER, id, "Post", "{}", "UNAUTHORIZED");
    refused(STRANGER, id, "Follow", "{}", "UNAUTHORIZED");
    write_as(OWNER, id, "Post", text_of(5000, "\xc3\x9f"));
    write_as(OWNER, id, "Post", text_of(5000, "\xf0\x9f\x90\x90"));
    refused(OWNER, id, "Post", text_of(5001, "a"), "INVALID_CONTENT");
    refused(OWNER, id, "Post", text_of(5001, "\xc3\x9f"), "INVALID_CONTENT");
}

Test(timeline, an_update_of_a_post_obeys_its_rule)
{
    timeline_open(&rig, 7);
    const uint8_t *id = timeline_create(&rig);
    struct enc_event post = write_as(OWNER, id, "Post", "{\"text\":\"x\"}");
    const char *bad[] = {"", "{\"text\":\"\"}", text_of(5001, "a")};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct enc_call *call =
            rig_commit(&rig, &(struct draft){OWNER, id, "Update", bad[i], post.id32, 0});
        cr_assert(call_is(call, 400, "INVALID_CONTENT"));
    }
    change(id, "Delete", "", post.id32);
    struct enc_call *call =
        rig_commit(&rig, &(struct draft){OWNER, id, "Update", "", post.id32, 0});
    cr_assert(call_is(call, 409, "ALREADY_DELETED"), "asked before the content (16.83)");
}

/* ---- follows ---- */

static bool is_followed(const uint8_t *own32, const uint8_t enclave32[32], const uint8_t *pub32,
                        const char *uri)
{
    struct fold fold;
    uint8_t found32[32];
    bool found = false;
    struct enc_followed followed;
    fold_begin(&fold, &rig, own32, ord_of(&rig, own32));
    cr_assert_eq(ENC_TIMELINE_VIEW.follows(&fold.rows, own32, enclave32, &found, found32),
                 ENC_ERR_OK);
    bool is_same = found && memcmp(found32, pub32, 32) == 0;
    cr_assert_eq(enc_timeline_followed(&fold.rows, &found, &followed, enclave32), ENC_ERR_OK);
    struct enc_bytes located = {NULL, 0};
    cr_assert_eq(ENC_TIMELINE_VIEW.locate(&located, &fold.arena, fold.snap, fold.ord, enclave32),
                 ENC_ERR_OK);
    cr_assert(enc_bytes_is(located, found ? uri : ""));
    is_same = is_same && enc_bytes_is(followed.uri, uri);
    fold_apply(&fold);
    return is_same;
}

static const char *follow(const uint8_t enclave32[32], const char *more)
{
    return rig_text(&rig, "{\"enclave\":\"%s\",\"pub\":\"%s\"%s}", rig_hex(&rig, enclave32, 32),
                    rig_hex(&rig, rig.keys[GUEST].pub32, 32), more);
}

Test(timeline, a_follow_names_the_sequencer_until_it_is_taken_back)
{
    const uint8_t other32[32] = {1, 2};
    const uint8_t *pub32;
    timeline_open(&rig, 8);
    pub32 = rig.keys[GUEST].pub32;
    const uint8_t *id = timeline_create(&rig);
    cr_assert_not(is_followed(id, other32, pub32, ""));
    write_as(OWNER, id, "Follow", follow(other32, ""));
    cr_assert(is_followed(id, other32, pub32, ""));
    write_as(OWNER, id, "Follow", follow(other32, ",\"uri\":\"http://127.0.0.1:80/x\""));
    cr_assert(is_followed(id, other32, pub32, "http://127.0.0.1:80/x"));
    write_as(OWNER, id, "Unfollow", follow(other32, ""));
    cr_assert_not(is_followed(id, other32, pub32, ""));
}

Test(timeline, a_follow_has_a_key_and_perhaps_a_uri)
{
    const uint8_t other32[32] = {1, 2};
    timeline_open(&rig, 9);
    const uint8_t *id = timeline_create(&rig);
    char longest[600];
    snprintf(longest, sizeof longest, ",\"uri\":\"https://a.org/%0*d\"", 512 - 14, 0);
    write_as(OWNER, id, "Follow", follow(other32, longest));
    snprintf(longest, sizeof longest, ",\"uri\":\"https://a.org/%0*d\"", 513 - 14, 0);
    const char *bad[] = {longest,
                         ",\"uri\":7",
                         ",\"uri\":\"\"",
                         ",\"uri\":\"ftp://a.org/\"",
                         ",\"uri\":\"https://a b.org/\"",
                         ",\"uri\":\"https://user@a.org/\""};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        refused(OWNER, id, "Follow", follow(other32, bad[i]), "INVALID_CONTENT");
    const char *off_curve = rig_text(&rig, "{\"enclave\":\"%064d\",\"pub\":\"%064d\"}", 0, 0);
    refused(OWNER, id, "Follow", off_curve, "INVALID_CONTENT");
}

/* ---- pages ---- */

static uint64_t walk(const uint8_t *id, const char *action, uint64_t limit, size_t wanted)
{
    uint64_t below = UINT64_MAX;
    size_t seen = 0;
    const char *before = "";
    for (size_t pages = 0;; pages++) {
        cr_assert(pages <= wanted / limit);
        const struct enc_json *page =
            timeline_get(&rig, id, rig_text(&rig, "%s%s", action, before));
        const struct enc_json *list = enc_json_get(page, "posts");
        for (const struct enc_json *at = list->child; at; at = at->next, seen++) {
            cr_assert_lt(json_u64(at, "seq"), below, "each once, newest first");
            below = json_u64(at, "seq");
        }
        const struct enc_json *next = enc_json_get(page, "next");
        cr_assert_leq(list->count, limit);
        if (next->kind == ENC_JSON_NULL)
            break;
        cr_assert_eq(list->count, limit);
        before = rig_text(&rig, "&before=%.*s", (int)next->text.len, (const char *)next->text.data);
    }
    cr_assert_eq(seen, wanted);
    return below;
}

Test(timeline, pages_show_every_post_once_newest_first)
{
    enum { POSTS = 30 };
    timeline_open(&rig, 10);
    const uint8_t *id = timeline_create(&rig);
    for (int i = 0; i < POSTS; i++) {
        write_as(OWNER, id, "Post", "{\"text\":\"x\"}");
        rig_sleep(&rig, 1);
    }
    const char *from = rig_hex(&rig, rig.keys[OWNER].pub32, 32);
    cr_assert_eq(walk(id, "/posts?limit=7", 7, POSTS), 1);
    cr_assert_eq(walk(id, "/posts?limit=10", 10, POSTS), 1);
    cr_assert_eq(walk(id, rig_text(&rig, "/posts?limit=7&from=%s", from), 7, POSTS), 1);
    cr_assert_eq(walk(id, "/feed?limit=7", 7, POSTS), 1);
    const char *stranger = rig_hex(&rig, rig.keys[STRANGER].pub32, 32);
    walk(id, rig_text(&rig, "/posts?limit=7&from=%s", stranger), 7, 0);
    cr_assert_eq(enc_json_get(timeline_get(&rig, id, "/posts?before=1"), "posts")->count, 0);
    cr_assert_eq(enc_json_get(timeline_get(&rig, id, "/posts?before=2"), "posts")->count, 1);
}

Test(timeline, a_feed_of_one_millisecond_has_pages_too)
{
    enum { POSTS = 12 };
    size_t seen = 0;
    const char *before = "";
    struct enc_bytes last = {NULL, 0};
    timeline_open(&rig, 11);
    const uint8_t *id = timeline_create(&rig);
    for (int i = 0; i < POSTS; i++)
        write_as(OWNER, id, "Post", "{\"text\":\"x\"}");
    for (const struct enc_json *next = NULL; !next || next->kind != ENC_JSON_NULL;) {
        const struct enc_json *page =
            timeline_get(&rig, id, rig_text(&rig, "/feed?limit=5%s", before));
        for (const struct enc_json *at = enc_json_get(page, "posts")->child; at; at = at->next) {
            struct enc_bytes post_id;
            cr_assert(enc_json_text(enc_json_get(at, "id"), &post_id));
            cr_assert(!last.data || memcmp(post_id.data, last.data, 64) < 0, "by id, downwards");
            last = post_id;
            seen++;
        }
        next = enc_json_get(page, "next");
        before = rig_text(&rig, "&before=%.*s", (int)next->text.len, (const char *)next->text.data);
        cr_assert(next->kind == ENC_JSON_NULL || next->kind == ENC_JSON_STRING);
    }
    cr_assert_eq(seen, POSTS);
}

Test(timeline, parameters_are_what_they_must_be)
{
    static const char *const BAD[] = {
        "/posts?limit=0",   "/posts?limit=101", "/posts?limit=x", "/posts?before=-1",
        "/posts?before=",   "/posts?from=ab",   "/feed?limit=0",  "/feed?before=x",
        "/feed?before=1-a", "/feed?before=1x",  "/feed?before=",  "/search",
        "/search?q=",       "/search?q=%zz",    "/search?q=%ff",  "/search?q=a&limit=0",
    };
    timeline_open(&rig, 12);
    const uint8_t *id = timeline_create(&rig);
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
        cr_assert(call_is(rig_get(&rig, rig_path(&rig, id, BAD[i])), 400, "INVALID_QUERY"), "%s",
                  BAD[i]);
    const char *paths[] = {"/posts/x", "/likes/12", "/profile/"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        cr_assert(call_is(rig_get(&rig, rig_path(&rig, id, paths[i])), 404, "INVALID_ROUTE"), "%s",
                  paths[i]);
    char longest[700] = "/search?q=";
    for (int i = 0; i < 100; i++)
        strcat(longest, "%C3%9F");
    cr_assert_eq(rig_get(&rig, rig_path(&rig, id, longest))->status, 200);
    strcat(longest, "a");
    cr_assert(call_is(rig_get(&rig, rig_path(&rig, id, longest)), 400, "INVALID_QUERY"));
    const uint8_t other32[32] = {5};
    cr_assert(call_is(rig_get(&rig, rig_path(&rig, other32, "/posts")), 404, "ENCLAVE_NOT_FOUND"));
}

/* ---- pushed in ---- */

static const uint8_t ALIEN32[32] = {0xa1};
static const uint8_t AUTHOR32[32] = {0xb2};

static struct folded alien(const char *type, const char *content, uint64_t seq,
                           const uint8_t *target32)
{
    return (struct folded){.enclave32 = ALIEN32,
                           .from32 = AUTHOR32,
                           .target32 = target32,
                           .type = type,
                           .content = content,
                           .seq = seq,
                           .timestamp_ms = 1000 + seq};
}

static void push(const uint8_t *id, struct folded *events, size_t count)
{
    struct fold fold;
    fold_begin(&fold, &rig, id, ord_of(&rig, id));
    for (size_t i = 0; i < count; i++)
        fold_event(&fold, &events[i]);
    fold_apply(&fold);
}

Test(timeline, what_is_pushed_in_joins_the_feed_and_not_the_posts)
{
    timeline_open(&rig, 13);
    const uint8_t *id = timeline_create(&rig);
    struct enc_event own = write_as(OWNER, id, "Post", "{\"text\":\"mine\"}");
    struct folded events[] = {
        alien("Post", "{\"text\":\"theirs\"}", 1, NULL),
        alien("Post", "{\"text\":\"\"}", 2, NULL),
        alien("Profile", "{\"display_name\":\"They\"}", 3, NULL),
        alien("Like", ref(own.id32), 4, NULL),
        alien("Follow", follow(AUTHOR32, ""), 5, NULL),
    };
    push(id, events, 5);
    const struct enc_json *feed = timeline_get(&rig, id, "/feed");
    cr_assert_eq(enc_json_get(feed, "posts")->count, 2);
    const struct enc_json *theirs = json_at(feed, "posts", 1);
    cr_assert(json_is(theirs, "text", "theirs"));
    cr_assert(json_is(theirs, "enclave", rig_hex(&rig, ALIEN32, 32)));
    cr_assert(json_is(json_at(feed, "posts", 0), "enclave", rig_hex(&rig, id, 32)));
    cr_assert_eq(json_u64(json_at(feed, "posts", 0), "likes"), 1);
    cr_assert_eq(enc_json_get(timeline_get(&rig, id, "/posts"), "posts")->count, 1);
    cr_assert(json_is(timeline_get(&rig, id, path("/posts/", events[0].id32)), "text", "theirs"));
    cr_assert(json_is(timeline_get(&rig, id, path("/profile/", AUTHOR32)), "display_name", "They"));
    cr_assert_eq(enc_json_get(timeline_get(&rig, id, "/search?q=THEIRS"), "posts")->count, 1);
    cr_assert_not(is_followed(id, AUTHOR32, rig.keys[GUEST].pub32, ""), "only the owner follows");
}

Test(timeline, likes_beyond_a_thousand_are_counted_and_not_named)
{
    enum { LIKES = 1003 };
    static struct folded likes[LIKES];
    static uint8_t authors32[LIKES][32];
    timeline_open(&rig, 17);
    const uint8_t *id = timeline_create(&rig);
    for (size_t i = 0; i < LIKES; i++) {
        enc_be64_put(authors32[i], LIKES - i);
        likes[i] = alien("Like", ref(AUTHOR32), i, NULL);
        likes[i].from32 = authors32[i];
    }
    push(id, likes, LIKES);
    const struct enc_json *shown = timeline_get(&rig, id, path("/likes/", AUTHOR32));
    cr_assert_eq(json_u64(shown, "count"), LIKES);
    cr_assert_eq(enc_json_get(shown, "likes")->count, 1000);
    cr_assert_eq(json_u64(json_at(shown, "likes", 999), "seq"), 999, "the oldest first");
}

Test(timeline, an_enclave_has_a_say_in_its_own_events_only)
{
    timeline_open(&rig, 14);
    const uint8_t *id = timeline_create(&rig);
    struct enc_event own = write_as(OWNER, id, "Post", "{\"text\":\"mine\"}");
    struct enc_event me = write_as(OWNER, id, "Profile", "{\"display_name\":\"Me\"}");
    struct enc_event like = write_as(OWNER, id, "Like", ref(own.id32));
    struct folded events[] = {
        alien("Update", "{\"text\":\"stolen\"}", 1, own.id32),
        alien("Update", "{\"display_name\":\"stolen\"}", 2, me.id32),
        alien("Delete", "", 3, own.id32),
        alien("Delete", "", 4, me.id32),
        alien("Delete", "", 5, like.id32),
        alien("Manifest", timeline_manifest(&rig, "\"\""), 6, NULL),
        alien("Post", "{\"text\":\"first\"}", 7, NULL),
    };
    push(id, events, 7);
    struct folded more[] = {
        alien("Update", "{\"text\":\"\"}", 8, events[6].id32),
        alien("Update", "no post", 9, events[6].id32),
    };
    push(id, more, 2);
    cr_assert(json_is(timeline_get(&rig, id, path("/posts/", events[6].id32)), "text", "first"));
    cr_assert(json_is(json_at(timeline_get(&rig, id, "/posts"), "posts", 0), "text", "mine"));
    cr_assert(json_is(timeline_get(&rig, id, path("/profile/", rig.keys[OWNER].pub32)),
                      "display_name", "Me"));
    cr_assert_eq(json_u64(timeline_get(&rig, id, path("/likes/", own.id32)), "count"), 1);
    struct folded changes[] = {
        alien("Update", "{\"text\":\"second\"}", 10, events[6].id32),
    };
    push(id, changes, 1);
    cr_assert(json_is(timeline_get(&rig, id, path("/posts/", events[6].id32)), "text", "second"));
    struct folded last[] = {alien("Delete", "", 11, events[6].id32)};
    push(id, last, 1);
    cr_assert_eq(enc_json_get(timeline_get(&rig, id, "/feed"), "posts")->count, 1);
}

Test(timeline, health_says_how_far_everything_is)
{
    timeline_open(&rig, 15);
    const uint8_t *id = timeline_create(&rig);
    write_as(OWNER, id, "Post", "{\"text\":\"mine\"}");
    struct folded events[] = {alien("Post", "{\"text\":\"theirs\"}", 7, NULL)};
    push(id, events, 1);
    struct fold fold;
    const struct enc_sync sync = {.last_seq = 7, .updated_ms = 1};
    fold_begin(&fold, &rig, id, ord_of(&rig, id));
    cr_assert_eq(enc_sync_put(&fold.rows, ALIEN32, &sync), ENC_ERR_OK);
    fold_apply(&fold);
    const struct enc_json *health = timeline_get(&rig, id, "/health");
    cr_assert_eq(health->count, 6);
    cr_assert(json_is(health, "status", "ok") && json_is(health, "service", "timeline"));
    cr_assert(json_is(health, "enclave", rig_hex(&rig, id, 32)));
    cr_assert_eq(json_u64(health, "seq"), 1);
    cr_assert_eq(json_u64(health, "posts"), 2);
    const struct enc_json *synced = enc_json_get(health, "synced");
    cr_assert_eq(json_u64(synced, rig_hex(&rig, id, 32)), 1);
    cr_assert_eq(json_u64(synced, rig_hex(&rig, ALIEN32, 32)), 7);
}

/* ---- the fold ---- */

enum { LOG = 400 };

static void make_event(struct folded *log, size_t i, uint64_t *random)
{
    static const char *const TYPES[] = {"Post",   "Post",    "Post",   "Like",
                                        "Unlike", "Profile", "Follow", "Unfollow",
                                        "Update", "Delete",  "Update", "Delete"};
    static const uint8_t FROM32[3][32] = {{1}, {2}, {3}};
    uint64_t draw = enc_splitmix(random);
    const char *type = TYPES[draw % 12];
    size_t target = i ? (draw >> 8) % i : 0;
    bool is_change = strcmp(type, "Update") == 0 || strcmp(type, "Delete") == 0;
    log[i] = (struct folded){
        .enclave32 = log[i].enclave32,
        .from32 = FROM32[draw >> 40 & 1],
        .target32 = is_change && i ? log[target].id32 : NULL,
        .type = is_change && !i ? "Post" : type,
        .seq = i,
        .timestamp_ms = 5000 + i / 3,
    };
    log[i].content = rig_text(&rig,
                              "{\"text\":\"text %u\",\"display_name\":\"name "
                              "%u\",\"ref_id\":\"%s\",\"enclave\":\"%064u\","
                              "\"pub\":\"%s\"}",
                              (unsigned)(draw >> 20 & 63), (unsigned)(draw >> 20 & 63),
                              rig_hex(&rig, log[target].id32, 32), (unsigned)(draw >> 30 & 3),
                              rig_hex(&rig, rig.keys[GUEST].pub32, 32));
}

static struct enc_bytes fold_log(const uint8_t own32[32], uint64_t ord, struct folded *log,
                                 size_t batch)
{
    struct fold fold;
    for (size_t i = 0; i < LOG; i += batch) {
        fold_begin(&fold, &rig, own32, ord);
        for (size_t j = i; j < i + batch && j < LOG; j++)
            fold_event(&fold, &log[j]);
        fold_apply(&fold);
    }
    size_t count = 0;
    struct enc_bytes rows = rows_of(&rig, ord, ENC_VIEW_SYNC, &count);
    cr_assert_gt(count, 50);
    return rows;
}

Test(timeline, folded_again_the_rows_are_the_same_bytes)
{
    static const uint8_t OWN32[32] = {0x77};
    static struct folded log[LOG];
    uint64_t random = 1;
    timeline_open(&rig, 16);
    struct fold names; /* gives the events their ids */
    for (size_t i = 0; i < LOG; i++) {
        log[i].enclave32 = i % 5 == 4 ? ALIEN32 : OWN32;
        make_event(log, i, &random);
        fold_begin(&names, &rig, OWN32, 900);
        fold_event(&names, &log[i]);
        fold_apply(&names);
    }
    struct enc_bytes one = rows_of(&rig, 900, ENC_VIEW_SYNC, NULL);
    struct enc_bytes all = fold_log(OWN32, 901, log, LOG);
    struct enc_bytes some = fold_log(OWN32, 902, log, 7);
    cr_assert(enc_bytes_equal(one, all), "event by event or in one run");
    cr_assert(enc_bytes_equal(one, some));
}
