#include "proto/proof_json.h"
#include "support.h"
#include "tests/support/trees.h"

TestSuite(proof_json);

static const struct enc_json *parsed(struct enc_bytes text)
{
    static struct enc_arena arena;
    static struct enc_json_facts facts;
    struct enc_json *json;
    enc_arena_fini(&arena);
    arena = arena_new();
    cr_assert(enc_json_parse(&json, &arena, text, &facts) == ENC_ERR_OK);
    return json;
}

static const struct enc_json *parsed_vector(json_t *vector)
{
    static char text[1 << 15];
    size_t len = json_dumpb(vector, text, sizeof text, JSON_COMPACT);
    cr_assert(len <= sizeof text);
    return parsed(enc_bytes_of(text, len));
}

static struct enc_buffer opened(struct enc_arena *arena)
{
    struct enc_buffer buffer;
    enc_buffer_init(&buffer, arena, 1 << 20);
    enc_json_put_raw(&buffer, "{");
    return buffer;
}

/* jansson reads what we wrote and finds exactly the vector. */
static void expect_written(struct enc_buffer *buffer, json_t *vector)
{
    struct enc_bytes text;
    enc_json_put_raw(buffer, "}");
    cr_assert(enc_buffer_bytes(buffer, &text) == ENC_ERR_OK);
    json_t *written = json_loadb((const char *)text.data, text.len, JSON_REJECT_DUPLICATES, NULL);
    cr_assert(json_equal(written, vector), "%.*s", (int)text.len, (const char *)text.data);
    json_decref(written);
    enc_arena_fini(buffer->arena);
}

/* Each of the five kinds: read from its vector, written, and refused member by member. */
struct kind {
    json_t *(*vector)(void); /* the caller's to decref */
    enum enc_err (*take)(const struct enc_json *object);
    void (*put)(struct enc_buffer *buffer);
};

static struct enc_smt_proof smt_proof;
static struct enc_bundle_proof bundle_proof;
static struct enc_inclusion inclusion;
static struct enc_consistency consistency;
static struct enc_sth sth;

static json_t *member_vector(void)
{
    return json_deep_copy(vector_at("smt.proof_member"));
}

static json_t *absent_vector(void)
{
    return json_deep_copy(vector_at("smt.proof_absent_seq_pub"));
}

static enum enc_err smt_take(const struct enc_json *object)
{
    return enc_smt_proof_take(&smt_proof, object);
}

static void smt_put(struct enc_buffer *buffer)
{
    enc_smt_proof_put(buffer, &smt_proof);
}

static json_t *bundle_vector(void)
{
    return json_deep_copy(vector_at("bundle0.proof_e2"));
}

static enum enc_err bundle_take(const struct enc_json *object)
{
    return enc_bundle_proof_take(&bundle_proof, object);
}

static void bundle_put(struct enc_buffer *buffer)
{
    enc_bundle_proof_put(buffer, &bundle_proof);
}

static json_t *inclusion_vector(void)
{
    return json_pack("{s:i, s:i, s:O, s:O, s:O}", "ts", 2, "li", 0, "p",
                     vector_at("inclusion_leaf0_in_2"), "events_root",
                     vector_at("bundle0.events_root"), "state_hash",
                     vector_at("bundle0.state_hash"));
}

static enum enc_err inclusion_take(const struct enc_json *object)
{
    return enc_inclusion_take(&inclusion, object);
}

static void inclusion_put(struct enc_buffer *buffer)
{
    enc_inclusion_put(buffer, &inclusion);
}

static json_t *consistency_vector(void)
{
    return json_pack("{s:i, s:i, s:O}", "ts1", 1, "ts2", 2, "p", vector_at("consistency_1_2"));
}

static enum enc_err consistency_take(const struct enc_json *object)
{
    return enc_consistency_take(&consistency, object);
}

static void consistency_put(struct enc_buffer *buffer)
{
    enc_consistency_put(buffer, &consistency);
}

static json_t *sth_vector(void)
{
    return json_deep_copy(vector_at("sth2"));
}

static enum enc_err sth_take(const struct enc_json *object)
{
    return enc_sth_take(&sth, object);
}

static void sth_put(struct enc_buffer *buffer)
{
    enc_sth_put(buffer, &sth);
}

static const struct kind KINDS[] = {
    {member_vector, smt_take, smt_put},
    {absent_vector, smt_take, smt_put},
    {bundle_vector, bundle_take, bundle_put},
    {inclusion_vector, inclusion_take, inclusion_put},
    {consistency_vector, consistency_take, consistency_put},
    {sth_vector, sth_take, sth_put},
};
enum { KIND_COUNT = sizeof KINDS / sizeof *KINDS };

Test(proof_json, vectors_survive_both_ways)
{
    for (size_t i = 0; i < KIND_COUNT; i++) {
        struct enc_arena arena = arena_new();
        struct enc_buffer buffer = opened(&arena);
        json_t *vector = KINDS[i].vector();
        cr_assert(KINDS[i].take(parsed_vector(vector)) == ENC_ERR_OK, "kind %zu", i);
        KINDS[i].put(&buffer);
        expect_written(&buffer, vector);
        json_decref(vector);
    }
}

Test(proof_json, other_members_do_not_disturb)
{
    for (size_t i = 0; i < KIND_COUNT; i++) {
        struct enc_arena arena = arena_new();
        struct enc_buffer buffer = opened(&arena);
        json_t *vector = KINDS[i].vector();
        json_object_set_new(vector, "zz", json_integer(7));
        cr_assert(KINDS[i].take(parsed_vector(vector)) == ENC_ERR_OK);
        enc_json_member_u64(&buffer, "zz", 7);
        KINDS[i].put(&buffer);
        expect_written(&buffer, vector);
        json_decref(vector);
    }
}

/* The vector of a kind with one member changed, or gone. */
static void refuse_with(const struct kind *kind, const char *member, json_t *value)
{
    json_t *changed = kind->vector();
    if (value)
        json_object_set(changed, member, value);
    else
        json_object_del(changed, member);
    enum enc_err err = kind->take(parsed_vector(changed));
    cr_assert(err == ENC_ERR_INVALID_REQUEST, "accepted another %s", member);
    json_decref(changed);
}

static void refuse_with_text(const struct kind *kind, const char *member, const char *text)
{
    json_t *value = json_string(text);
    refuse_with(kind, member, value);
    json_decref(value);
}

static json_t *wrong_values(void)
{
    json_t *list = json_loads("[true, -1, 1.5, {}, [7], [\"00\"], \"\", \"0\", \"zz\","
                              " 9007199254740992, [null]]",
                              0, NULL);
    json_t *long_list = json_array();
    for (unsigned i = 0; i <= ENC_SMT_DEPTH; i++)
        json_array_append(long_list, vector_at("sth1.r"));
    json_array_append_new(list, long_list);
    return list;
}

static void refuse_wrong_member(const struct kind *kind, const char *member)
{
    json_t *wrong = wrong_values();
    refuse_with(kind, member, NULL);
    if (strcmp(member, "v") != 0)
        refuse_with(kind, member, json_null());
    for (size_t i = 0; i < json_array_size(wrong); i++)
        refuse_with(kind, member, json_array_get(wrong, i));
    json_decref(wrong);
}

static void refuse_wrong_length(const struct kind *kind, const char *member)
{
    char hex[256];
    json_t *vector = kind->vector();
    const char *text = json_string_value(json_object_get(vector, member));
    if (text && strcmp(member, "v") != 0) {
        snprintf(hex, sizeof hex, "%s00", text);
        refuse_with_text(kind, member, hex);
        hex[strlen(text) - 2] = 0;
        refuse_with_text(kind, member, hex);
    }
    json_decref(vector);
}

static void each_member(void (*refuse)(const struct kind *kind, const char *member))
{
    for (size_t i = 0; i < KIND_COUNT; i++) {
        json_t *vector = KINDS[i].vector();
        for (void *at = json_object_iter(vector); at; at = json_object_iter_next(vector, at))
            refuse(&KINDS[i], json_object_iter_key(at));
        json_decref(vector);
    }
}

Test(proof_json, every_member_is_needed_and_checked)
{
    each_member(refuse_wrong_member);
}

Test(proof_json, hex_has_one_length)
{
    each_member(refuse_wrong_length);
}

Test(proof_json, values_of_one_to_32_bytes)
{
    char hex[69] = {0};
    for (unsigned digits = 1; digits <= 68; digits++) {
        hex[digits - 1] = 'a';
        if (digits % 2 || digits > 64) {
            refuse_with_text(&KINDS[0], "v", hex);
            continue;
        }
        json_t *vector = member_vector();
        json_object_set_new(vector, "v", json_string(hex));
        cr_assert(smt_take(parsed_vector(vector)) == ENC_ERR_OK);
        json_decref(vector);
        cr_assert(smt_proof.value.len == digits / 2 && smt_proof.value.data[0] == 0xaa);
    }
}

static json_t *with_hashes(json_t *vector, const char *member, unsigned count)
{
    json_t *list = json_array();
    for (unsigned i = 0; i < count; i++)
        json_array_append(list, vector_at("sth1.r"));
    json_object_set_new(vector, member, list);
    return vector;
}

static void expect_most(const struct kind *kind, const char *member, unsigned most)
{
    struct enc_arena arena = arena_new();
    struct enc_buffer buffer = opened(&arena);
    json_t *vector = with_hashes(kind->vector(), member, most);
    cr_assert(kind->take(parsed_vector(vector)) == ENC_ERR_OK);
    kind->put(&buffer);
    expect_written(&buffer, vector);
    with_hashes(vector, member, most + 1);
    cr_assert(kind->take(parsed_vector(vector)) == ENC_ERR_INVALID_REQUEST);
    json_decref(vector);
}

Test(proof_json, as_many_siblings_as_a_proof_can_have)
{
    expect_most(&KINDS[0], "s", ENC_SMT_DEPTH);
    expect_most(&KINDS[2], "siblings", ENC_PATH_MAX);
    expect_most(&KINDS[3], "p", ENC_PATH_MAX);
    expect_most(&KINDS[4], "p", ENC_PATH_MAX);
}

Test(proof_json, what_is_no_object_is_refused)
{
    static const char *const texts[] = {"null", "[]", "\"k\"", "7", "{}"};
    for (size_t i = 0; i < KIND_COUNT; i++)
        for (size_t j = 0; j < sizeof texts / sizeof *texts; j++) {
            const struct enc_json *json = parsed(enc_bytes_of_text(texts[j]));
            cr_assert(KINDS[i].take(json) == ENC_ERR_INVALID_REQUEST);
        }
    cr_assert(sth_take(NULL) == ENC_ERR_INVALID_REQUEST);
}

Test(proof_json, a_full_buffer_is_told_at_the_end)
{
    struct enc_arena arena = arena_new();
    for (size_t i = 0; i < KIND_COUNT; i++) {
        struct enc_buffer buffer;
        struct enc_bytes text;
        enc_buffer_init(&buffer, &arena, 20);
        KINDS[i].put(&buffer);
        cr_assert(enc_buffer_bytes(&buffer, &text) == ENC_ERR_TOO_LARGE);
    }
    enc_arena_fini(&arena);
}
