/*
 * Every schema of two rows, every role mask, every context, every operation, against protocol.md
 * 5.4 read aloud.
 */
#include "proto/rbac.h"

#include <criterion/criterion.h>
#include <stdio.h>

TestSuite(rbac);

/** A row as it is written in a Manifest. */
struct told_row {
    const char *event, *role, *op; /* op NULL: neither grants nor denies it */
    const char *deny;
};

static const char *const OPS[ENC_OP_COUNT] = {"C", "R", "U", "D", "P", "N"};
static const char *const DENIES[ENC_OP_COUNT] = {"_C", "_R", "_U", "_D", "_P", "_N"};
static const char *const EVENTS[] = {"Post", "Grant", "*"};
static const char *const ROLES[] = {"Owner", "A", "B", "D", "Self", "Sender", "Any", "Public"};
static const char *const TYPES[] = {"Post", "Like", "Grant", "Pause"};

enum { EVENT_COUNT = 3, ROLE_COUNT = 8, EFFECT_COUNT = 3, TYPE_COUNT = 4 };
enum { ROW_COUNT = EVENT_COUNT * ROLE_COUNT * EFFECT_COUNT };

static struct told_row row_of(unsigned number, unsigned op)
{
    unsigned effect = number % EFFECT_COUNT;
    return (struct told_row){
        .event = EVENTS[number / EFFECT_COUNT % EVENT_COUNT],
        .role = ROLES[number / EFFECT_COUNT / EVENT_COUNT],
        .op = effect == 1 ? NULL : OPS[op],
        .deny = effect == 0 ? NULL : DENIES[op],
    };
}

/** Who asks: which roles are held is one bit each, in the order of ROLES. */
struct told_actor {
    bool owner, a, b, d, self, authenticated;
};

static bool is(const char *x, const char *y)
{
    return strcmp(x, y) == 0;
}

static bool told_holds(const struct told_actor *actor, const char *role)
{
    return (is(role, "Owner") && actor->owner) || (is(role, "A") && actor->a) ||
           (is(role, "B") && actor->b) || (is(role, "D") && actor->d) ||
           ((is(role, "Self") || is(role, "Sender")) && actor->self) ||
           (is(role, "Any") && actor->authenticated) || is(role, "Public");
}

/** "*" matches every type for R, P, N; for C, U, D only content types. */
static bool told_matches(const struct told_row *row, const char *type, const char *op)
{
    bool is_content = is(type, "Post") || is(type, "Like");
    bool is_free = is(op, "R") || is(op, "P") || is(op, "N");
    return is(row->event, type) || (is(row->event, "*") && (is_free || is_content));
}

static bool told_permits(const struct told_row rows[2], const struct told_actor *actor,
                         const char *type, unsigned op)
{
    bool pos = false, neg = false;
    for (unsigned i = 0; i < 2; i++) {
        if (!told_matches(&rows[i], type, OPS[op]) || !told_holds(actor, rows[i].role))
            continue;
        if (rows[i].op)
            pos = true;
        if (rows[i].deny)
            neg = true;
    }
    return pos && !neg;
}

static int write_row(char *out, size_t len, const struct told_row *row)
{
    return snprintf(out, len, "{\"event\":\"%s\",\"role\":\"%s\",\"ops\":[%s%s%s%s%s%s%s]}",
                    row->event, row->role, row->op ? "\"" : "", row->op ? row->op : "",
                    row->op ? "\"" : "", row->op && row->deny ? "," : "", row->deny ? "\"" : "",
                    row->deny ? row->deny : "", row->deny ? "\"" : "");
}

/** Through the text, as it comes in. The memory is reused for every schema. */
static struct enc_manifest manifest_of(const struct told_row rows[2])
{
    static _Alignas(16) uint8_t memory[1 << 16];
    static char content[1024];
    char first[128], second[128];
    struct enc_arena arena;
    struct enc_manifest manifest;
    write_row(first, sizeof first, &rows[0]);
    write_row(second, sizeof second, &rows[1]);
    snprintf(content, sizeof content,
             "{\"enc_v\":1,\"RBAC\":{\"roles\":[\"A\",\"B\",\"D\"],\"schema\":[%s,%s],"
             "\"initial_state\":{\"Owner\":[\"8dfc1f5044b6bd4d397e13cab9058cd71937312f479d9b432979"
             "287a98a02a00\"]}}}",
             first, second);
    enc_arena_init_fixed(&arena, memory, sizeof memory);
    cr_assert_eq(enc_manifest_parse(&manifest, &arena, &arena, enc_bytes_of_text(content), NULL),
                 ENC_ERR_OK, "%s", content);
    return manifest;
}

static struct told_actor actor_of(unsigned bits)
{
    return (struct told_actor){bits & 1,      bits >> 1 & 1, bits >> 2 & 1,
                               bits >> 3 & 1, bits >> 4 & 1, bits >> 5 & 1};
}

static struct enc_roles roles_of(const struct told_actor *actor)
{
    struct enc_roles roles = {{0}};
    roles.words[0] = (uint64_t)actor->owner << 1 | (uint64_t)actor->a << 32 |
                     (uint64_t)actor->b << 33 | (uint64_t)actor->d << 34;
    return roles;
}

static void compare(const struct enc_manifest *manifest, const struct told_row rows[2], unsigned op)
{
    for (unsigned bits = 0; bits < 64; bits++)
        for (unsigned type = 0; type < TYPE_COUNT; type++) {
            struct told_actor actor = actor_of(bits);
            struct enc_roles roles = roles_of(&actor);
            bool got =
                enc_rbac_permits(manifest, &roles, enc_bytes_of_text(TYPES[type]), (enum enc_op)op,
                                 (struct enc_context){actor.self, actor.authenticated});
            if (got != told_permits(rows, &actor, TYPES[type], op))
                cr_assert_fail("%s %s %s%s and %s %s %s%s: %s on %s by %02x", rows[0].event,
                               rows[0].role, rows[0].op ? rows[0].op : "",
                               rows[0].deny ? rows[0].deny : "", rows[1].event, rows[1].role,
                               rows[1].op ? rows[1].op : "", rows[1].deny ? rows[1].deny : "",
                               OPS[op], TYPES[type], bits);
        }
}

static void compare_schemas(unsigned op)
{
    for (unsigned first = 0; first < ROW_COUNT; first++)
        for (unsigned second = 0; second <= first; second++) {
            const struct told_row rows[2] = {row_of(first, op), row_of(second, op)};
            struct enc_manifest manifest = manifest_of(rows);
            compare(&manifest, rows, op);
        }
}

Test(rbac, create)
{
    compare_schemas(ENC_OP_CREATE);
}

Test(rbac, read)
{
    compare_schemas(ENC_OP_READ);
}

Test(rbac, update)
{
    compare_schemas(ENC_OP_UPDATE);
}

Test(rbac, delete)
{
    compare_schemas(ENC_OP_DELETE);
}

Test(rbac, push)
{
    compare_schemas(ENC_OP_PUSH);
}

Test(rbac, notify)
{
    compare_schemas(ENC_OP_NOTIFY);
}

/** An operation that a row does not name is not touched by it. */
Test(rbac, operations_do_not_mix)
{
    for (unsigned named = 0; named < ENC_OP_COUNT; named++)
        for (unsigned asked = 0; asked < ENC_OP_COUNT; asked++)
            for (unsigned effect = 0; effect < EFFECT_COUNT; effect++) {
                const struct told_row rows[2] = {
                    row_of(effect + 7 * EFFECT_COUNT * EVENT_COUNT, named),
                    {.event = "Post", .role = "Public", .op = OPS[asked]},
                };
                struct enc_manifest manifest = manifest_of(rows);
                const struct enc_roles none = {{0}};
                bool got = enc_rbac_permits(&manifest, &none, ENC_LIT("Post"), (enum enc_op)asked,
                                            (struct enc_context){false, false});
                cr_assert_eq(got, named != asked || effect == 0, "%s for %s", OPS[named],
                             OPS[asked]);
            }
}

/** Reading anything: some type is readable iff a named one is, or one that no row names. */
Test(rbac, reads_any)
{
    for (unsigned first = 0; first < ROW_COUNT; first++)
        for (unsigned second = 0; second <= first; second++) {
            const struct told_row rows[2] = {row_of(first, ENC_OP_READ),
                                             row_of(second, ENC_OP_READ)};
            struct enc_manifest manifest = manifest_of(rows);
            for (unsigned bits = 0; bits < 64; bits++) {
                struct told_actor actor = actor_of(bits);
                struct enc_roles roles = roles_of(&actor);
                bool told = false;
                for (unsigned type = 0; type < TYPE_COUNT; type++)
                    told |= told_permits(rows, &actor, TYPES[type], ENC_OP_READ);
                cr_assert_eq(
                    enc_rbac_reads_any(&manifest, &roles,
                                       (struct enc_context){actor.self, actor.authenticated}),
                    told);
            }
        }
}
