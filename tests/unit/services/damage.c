/* Rows of a DataView that are not what its mappers wrote: no request and no commit may end the
 * process for them, and each is answered. */
#include "services/inside.h"
#include "services/registry.h"
#include "services/timeline.h"
#include "timeline_fixture.h"

static struct rig rig;

static void fini(void)
{
    rig_close(&rig);
}

TestSuite(damage, .fini = fini);

enum { ROWS_MAX = 256, LONG_LEN = 1200 };

static struct victim {
    uint32_t view;
    struct enc_bytes key;
    struct enc_bytes value;
} rows[ROWS_MAX];
static size_t row_count;

/* Every row of the DataView, as it is. */
static void note_rows(uint64_t ord)
{
    struct enc_snap *snap = NULL;
    struct enc_scan scan;
    struct enc_view_row_found found;
    row_count = 0;
    cr_assert_eq(enc_snap_open(enc_data_shard_at(rig.data, 0), &snap), ENC_ERR_OK);
    enc_scan_views(&scan, snap, (struct enc_view){ord, ENC_VIEW_SYNC});
    while (enc_scan_view_row(&scan, &found)) {
        cr_assert_lt(row_count, ROWS_MAX);
        rows[row_count++] = (struct victim){found.number, enc_arena_copy(&rig.arena, found.key),
                                            enc_arena_copy(&rig.arena, found.value)};
    }
    cr_assert_eq(enc_scan_fini(&scan), ENC_ERR_OK);
    enc_snap_close(snap);
}

static void put(const uint8_t *enclave32, uint32_t view, struct enc_bytes key,
                struct enc_bytes value)
{
    struct fold fold;
    fold_begin(&fold, &rig, enclave32, ord_of(&rig, enclave32));
    cr_assert_eq(enc_rows_put(&fold.rows, view, key, value), ENC_ERR_OK);
    fold_apply(&fold);
}

static void del(const uint8_t *enclave32, uint32_t view, struct enc_bytes key)
{
    struct fold fold;
    fold_begin(&fold, &rig, enclave32, ord_of(&rig, enclave32));
    cr_assert_eq(enc_rows_del(&fold.rows, view, key), ENC_ERR_OK);
    fold_apply(&fold);
}

/* What a value may have become. */
static struct enc_bytes damaged(struct enc_bytes value, int how)
{
    static uint8_t bytes[LONG_LEN + 1024];
    size_t len = value.len < 1024 ? value.len : 1024;
    memcpy(bytes, value.data, len);
    switch (how) {
    case 0:
        return enc_bytes_of(bytes, 0);
    case 1:
        return enc_bytes_of(bytes, len ? len - 1 : 1);
    case 2:
        bytes[len] = 0;
        return enc_bytes_of(bytes, len + 1);
    case 3:
        memset(bytes, 0xff, len);
        return enc_bytes_of(bytes, len);
    case 4:
        memset(bytes, 0, len);
        return enc_bytes_of(bytes, len);
    default:
        memset(bytes, 0xff, LONG_LEN);
        return enc_bytes_of(bytes, LONG_LEN);
    }
}

enum { HOWS = 6 };

/* What is asked and written while a row is damaged. */
struct use {
    const uint8_t *enclave32;
    const char *const *paths;
    const struct draft *drafts;
    size_t draft_count;
};

static size_t told; /* answers that say so */

static void use(const struct use *use)
{
    for (const char *const *path = use->paths; *path; path++) {
        struct enc_call *call = rig_get(&rig, rig_path(&rig, use->enclave32, *path));
        cr_assert(call->status == 200 || call->status == 404 || call->status == 500, "%s: %u",
                  *path, call->status);
        told += call->status == 500;
    }
    for (size_t i = 0; i < use->draft_count; i++) {
        struct enc_call *call = rig_commit(&rig, &use->drafts[i]);
        cr_assert(call->is_answered);
    }
}

static void damage_values(const struct use *used)
{
    for (size_t i = 0; i < row_count; i++)
        for (int how = 0; how < HOWS; how++) {
            put(used->enclave32, rows[i].view, rows[i].key, damaged(rows[i].value, how));
            use(used);
            put(used->enclave32, rows[i].view, rows[i].key, rows[i].value);
        }
}

static void damage_keys(const struct use *used)
{
    static const size_t LENS[] = {0, 1, 32, ENC_VIEW_KEY_LEN_MAX};
    uint8_t key[ENC_VIEW_KEY_LEN_MAX] = {0};
    for (size_t i = 0; i < row_count; i++)
        for (size_t j = 0; j < sizeof LENS / sizeof LENS[0]; j++) {
            struct enc_bytes name = enc_bytes_of(key, LENS[j]);
            memcpy(key, rows[i].key.data, rows[i].key.len < 40 ? rows[i].key.len : 40);
            put(used->enclave32, rows[i].view, name, rows[i].value);
            use(used);
            del(used->enclave32, rows[i].view, name);
        }
}

static void damage_all(const struct use *used)
{
    told = 0;
    note_rows(ord_of(&rig, used->enclave32));
    damage_values(used);
    damage_keys(used);
    cr_assert_gt(told, row_count, "what is damaged is mostly not taken for good");
}

/* A block of the search that is none: there are too few posts for a real one. */
static void damage_blocks(const struct use *used)
{
    static const uint8_t LIKE_ONE[] = {0, 0, 0, 1, 0, 0, 0, 1, 0, 'a', 'b', 'c', 0, 0, 0, 1, 0, 0};
    static const uint8_t FIRST8[8] = {0};
    const uint32_t view = ENC_TIMELINE_FIND_POST + ENC_SEARCH_VIEWS - 1;
    const struct enc_bytes key = enc_bytes_of(FIRST8, 8);
    for (int how = 0; how < HOWS; how++) {
        put(used->enclave32, view, key, damaged(enc_bytes_of(LIKE_ONE, sizeof LIKE_ONE), how));
        use(used);
    }
    put(used->enclave32, view, key, enc_bytes_of(LIKE_ONE, sizeof LIKE_ONE));
    use(used);
    del(used->enclave32, view, key);
}

Test(damage, a_timeline_answers_whatever_its_rows_are)
{
    timeline_open(&rig, 1);
    const uint8_t *id = timeline_create(&rig);
    struct draft post = {OWNER, id, "Post", "{\"text\":\"abcabc\"}", NULL, 0};
    struct enc_event first = rig_accept(&rig, &post);
    struct enc_event second = rig_accept(&rig, &post);
    const char *hex = rig_hex(&rig, first.id32, 32);
    const char *key = rig_hex(&rig, rig.keys[OWNER].pub32, 32);
    const char *ref = rig_text(&rig, "{\"ref_id\":\"%s\"}", hex);
    const char *follow = rig_text(&rig, "{\"enclave\":\"%s\",\"pub\":\"%s\"}", hex, key);
    const struct draft drafts[] = {
        {OWNER, id, "Like", ref, NULL, 0},
        {OWNER, id, "Profile", "{\"display_name\":\"abc\",\"bio\":\"x\"}", NULL, 0},
        {OWNER, id, "Follow", follow, NULL, 0},
        {OWNER, id, "Unlike", ref, NULL, 0},
        {OWNER, id, "Like", ref, NULL, 0},
        {OWNER, id, "Unfollow", follow, NULL, 0},
        {OWNER, id, "Follow", follow, NULL, 0},
        {OWNER, id, "Update", "{\"text\":\"abcd\"}", first.id32, 0},
        post,
        {OWNER, id, "Delete", "", second.id32, 0},
    };
    const char *paths[] = {
        "/posts",
        rig_text(&rig, "/posts?from=%s", key),
        rig_text(&rig, "/posts/%s", hex),
        "/feed",
        rig_text(&rig, "/likes/%s", hex),
        rig_text(&rig, "/profile/%s", key),
        "/search?q=abc",
        "/search?q=a",
        "/health",
        NULL,
    };
    const struct use used = {id, paths, drafts, sizeof drafts / sizeof drafts[0]};
    for (size_t i = 0; i < 3; i++)
        rig_accept(&rig, &drafts[i]);
    damage_all(&used);
    damage_blocks(&used);
}

/* A Reg_Enclave of a timeline that this very node has, by its Owner. */
static const char *enclave_content(const uint8_t *enclave32)
{
    rig_turn_to(&rig, &ENC_SERVICE_TIMELINE);
    struct enc_call *call = rig_get(&rig, rig_path(&rig, enclave32, "/info/manifest"));
    rig_turn_to(&rig, &ENC_SERVICE_REGISTRY);
    return rig_text(&rig, "{\"manifest\":%s,\"node_pub\":\"%s\"}", call->body,
                    rig_hex(&rig, rig.node.pub32, 32));
}

Test(damage, a_registry_answers_whatever_its_rows_are)
{
    timeline_open(&rig, 2);
    const uint8_t *other = timeline_create(&rig);
    const char *enclave = enclave_content(other);
    const uint8_t *id = rig.host->singletons32[rig.service];
    const char *hex = rig_hex(&rig, other, 32);
    const char *key = rig_hex(&rig, rig.keys[OWNER].pub32, 32);
    const char *node = rig_text(&rig,
                                "{\"seq_pub\":\"%s\",\"endpoints\":[{\"uri\":\"https://a.example\","
                                "\"priority\":1}],\"protocols\":[\"https\"],\"enc_v\":1}",
                                key);
    struct draft drafts[] = {
        {OWNER, id, "Reg_Node", node, NULL, 0},
        {OWNER, id, "Reg_Enclave", enclave, NULL, 0},
        {OWNER, id, "Reg_Identity", "{\"display_name\":\"O\"}", NULL, 0},
        {OWNER, id, "Delete", "", NULL, 0},
        {OWNER, id, "Delete", "", NULL, 0},
    };
    for (size_t i = 0; i < 3; i++) {
        struct enc_event event = rig_accept(&rig, &drafts[i]);
        if (i < 2)
            drafts[3 + i].target32 = enc_arena_copy(&rig.arena, enc_bytes_of(event.id32, 32)).data;
    }
    const char *paths[] = {
        "/nodes",
        rig_text(&rig, "/nodes/%s", key),
        rig_text(&rig, "/enclaves/%s", hex),
        rig_text(&rig, "/resolve/%s", hex),
        rig_text(&rig, "/identities/%s", key),
        NULL,
    };
    damage_all(&(struct use){id, paths, drafts, sizeof drafts / sizeof drafts[0]});
}

/* The head with one byte of it changed, under another ordinal or not: nobody may take it for good. */
static void put_head(uint64_t ord, struct enc_bytes head)
{
    struct enc_arena arena;
    struct enc_writeset set;
    struct enc_apply_facts facts;
    const struct enc_writeset *const sets[] = {&set};
    enc_arena_init(&arena, &rig.chunks, 1 << 20);
    enc_writeset_init(&set, &arena);
    enc_put_head(&set, ord, head);
    cr_assert_eq(enc_store_apply(enc_data_shard_at(rig.data, 0), &facts, sets, 1), ENC_OUTCOME_OK);
    enc_arena_fini(&arena);
}

static uint8_t *head_of(uint64_t ord, size_t *len)
{
    struct enc_snap *snap = NULL;
    struct enc_bytes record;
    cr_assert_eq(enc_snap_open(enc_data_shard_at(rig.data, 0), &snap), ENC_ERR_OK);
    cr_assert_eq(enc_snap_head(snap, &record, ord), ENC_ERR_OK);
    uint8_t *copy = (uint8_t *)(uintptr_t)enc_arena_copy(&rig.arena, record).data;
    *len = record.len;
    enc_snap_close(snap);
    return copy;
}

Test(damage, a_head_of_another_enclave_is_none)
{
    enum { SERVICE_AT = 4, ID_AT = 5, ORD_AT = 69 };
    static const size_t PLACES[] = {SERVICE_AT, ID_AT, ORD_AT};
    size_t len;
    rig_open(&rig, 3);
    const uint8_t *id = rig_create(&rig, &(struct shape){0});
    uint64_t ord = ord_of(&rig, id);
    uint8_t *head = head_of(ord, &len);
    const struct draft draft = {OWNER, id, "Message", "x", NULL, 0};
    for (size_t i = 0; i < sizeof PLACES / sizeof PLACES[0]; i++) {
        head[PLACES[i]] ^= 0x80;
        put_head(ord, enc_bytes_of(head, len));
        rig_restart(&rig);
        cr_assert_eq(rig_get(&rig, rig_path(&rig, id, "/info/enclave"))->status, 500, "%zu", i);
        cr_assert_eq(rig_get(&rig, rig_path(&rig, id, "/info/manifest"))->status, 500, "%zu", i);
        cr_assert_eq(rig_commit(&rig, &draft)->status, 500, "%zu", i);
        head[PLACES[i]] ^= 0x80;
    }
    put_head(ord, enc_bytes_of(head, len));
    rig_restart(&rig);
    rig_accept(&rig, &draft);
}
