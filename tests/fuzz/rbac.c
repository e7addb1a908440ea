/* Who may do what: an input is a schema, an actor and a question. Every answer is compared with
 * that of protocol.md 5.4 applied word by word to the same rows as texts. */
#include "proto/rbac.h"

#include "tests/fuzz/feed.h"
#include "tests/fuzz/fuzz.h"

enum { ROWS_MAX = 10, ROLES = 3, OPS = 6, WORLD_TYPES = 9 };

static const char *const ROLE_NAMES[ROLES] = {"Admin", "Member", "Guest"};
static const char *const HOLDERS[] = {"Admin", "Member", "Guest",  "Owner",    "Self",
                                      "Any",   "Sender", "Public", "OUTSIDER", "*"};
static const char *const TYPES[WORLD_TYPES] = {"Message", "Post",      "*",    "Grant",   "Revoke",
                                               "Move",    "Terminate", "Gate", "Messages"};
static const char *const TARGETED[] = {"Grant", "Grant_Push", "Revoke", "Move", "Force_Move"};
static const char LETTERS[OPS + 1] = "CRUDPN";

struct plain_row {
    const char *event, *role;
    bool grants[OPS], denies[OPS];
    bool has_targets;
    bool targets[ROLES];
};

struct world {
    struct plain_row rows[ROWS_MAX];
    size_t row_count;
    bool holds[ROLES];
    bool is_owner;
    struct enc_manifest manifest;
    struct enc_roles roles;
};

#define COUNT(list) (sizeof(list) / sizeof *(list))

/* ---- from choices to a Manifest ---- */

static bool is_targeted(const char *event)
{
    for (size_t i = 0; i < COUNT(TARGETED); i++)
        if (strcmp(TARGETED[i], event) == 0)
            return true;
    return false;
}

static struct plain_row choose_row(struct feed *feed)
{
    struct plain_row row = {.event = TYPES[feed_pick(feed, WORLD_TYPES)],
                            .role = HOLDERS[feed_pick(feed, COUNT(HOLDERS))]};
    unsigned grants = feed_u8(feed), denies = feed_u8(feed);
    for (unsigned i = 0; i < OPS; i++) {
        row.grants[i] = grants >> i & 1;
        row.denies[i] = denies >> i & denies >> 7 & 1;
    }
    row.has_targets = (grants >> 7 & 1) && is_targeted(row.event);
    unsigned targets = row.has_targets ? feed_u8(feed) : 0;
    for (unsigned i = 0; i < ROLES; i++)
        row.targets[i] = targets >> i & 1;
    return row;
}

static void choose(struct world *world, struct feed *feed)
{
    unsigned held = feed_u8(feed);
    *world = (struct world){.is_owner = held >> 7 & 1};
    for (unsigned i = 0; i < ROLES; i++)
        if ((world->holds[i] = held >> i & 1))
            enc_roles_add(&world->roles, ENC_ROLE_CUSTOM + i);
    if (world->is_owner)
        enc_roles_add(&world->roles, ENC_ROLE_OWNER);
    for (size_t count = feed_pick(feed, ROWS_MAX + 1); world->row_count < count;)
        world->rows[world->row_count++] = choose_row(feed);
}

static void put_name(struct enc_buffer *text, const char *name)
{
    enc_json_comma(text);
    enc_json_put_text(text, enc_bytes_of_text(name));
}

static void put_row(struct enc_buffer *text, const struct plain_row *row)
{
    char op[3] = "_?";
    enc_json_comma(text);
    enc_json_put_raw(text, "{");
    enc_json_member_text(text, "event", enc_bytes_of_text(row->event));
    enc_json_member_text(text, "role", enc_bytes_of_text(row->role));
    enc_json_member(text, "ops");
    enc_json_put_raw(text, "[");
    for (unsigned i = 0; i < OPS; i++) {
        op[1] = LETTERS[i];
        if (row->grants[i])
            put_name(text, op + 1);
        if (row->denies[i])
            put_name(text, op);
    }
    enc_json_put_raw(text, "]");
    if (row->has_targets) {
        enc_json_member(text, "target_roles");
        enc_json_put_raw(text, "[");
        for (unsigned i = 0; i < ROLES; i++)
            if (row->targets[i])
                put_name(text, ROLE_NAMES[i]);
        enc_json_put_raw(text, "]");
    }
    enc_json_put_raw(text, "}");
}

static void build(struct world *world, struct enc_arena *arena, struct enc_arena *scratch)
{
    struct enc_buffer text;
    struct enc_bytes content;
    enc_buffer_init(&text, arena, 1 << 16);
    enc_json_put_raw(&text, "{\"enc_v\":1,\"RBAC\":{\"roles\":[\"Admin\",\"Member\",\"Guest\"],"
                            "\"schema\":[");
    for (size_t i = 0; i < world->row_count; i++)
        put_row(&text, &world->rows[i]);
    enc_json_put_raw(&text, "],\"initial_state\":{\"Owner\":[");
    enc_json_put_hex(&text, enc_bytes_of(fuzz_key(0)->pub32, 32));
    enc_json_put_raw(&text, "]}}}");
    ENC_CHECK(enc_buffer_bytes(&text, &content) == ENC_ERR_OK);
    ENC_CHECK(enc_manifest_parse(&world->manifest, arena, scratch, content, NULL) == ENC_ERR_OK);
}

/* ---- 5.4, over the texts ---- */

static bool is_predefined(const char *type)
{
    return strcmp(type, "Message") != 0 && strcmp(type, "Post") != 0 &&
           strcmp(type, "Messages") != 0 && strcmp(type, "*") != 0;
}

static bool holds(const struct world *world, const char *role, struct enc_context context)
{
    if (strcmp(role, "Owner") == 0)
        return world->is_owner;
    if (strcmp(role, "Self") == 0 || strcmp(role, "Sender") == 0)
        return context.self;
    if (strcmp(role, "Any") == 0)
        return context.authenticated;
    for (unsigned i = 0; i < ROLES; i++)
        if (strcmp(role, ROLE_NAMES[i]) == 0)
            return world->holds[i];
    return strcmp(role, "Public") == 0;
}

static bool names(const struct plain_row *row, const char *type, char op)
{
    if (strcmp(row->event, "*") == 0)
        return strchr("RPN", op) || !is_predefined(type);
    return strcmp(row->event, type) == 0;
}

/* targets: of the rows that grant it; NULL: not asked. */
static bool permits(const struct world *world, const char *type, unsigned op,
                    struct enc_context context, bool targets[ROLES])
{
    bool pos = false, neg = false;
    for (size_t i = 0; i < world->row_count; i++) {
        const struct plain_row *row = &world->rows[i];
        if (!names(row, type, LETTERS[op]) || !holds(world, row->role, context))
            continue;
        pos |= row->grants[op];
        neg |= row->denies[op];
        for (unsigned k = 0; targets && row->grants[op] && k < ROLES; k++)
            targets[k] |= !row->has_targets || row->targets[k];
    }
    return pos && !neg;
}

/* ---- the questions ---- */

static void ask_op(const struct world *world, const char *type, struct enc_context context)
{
    struct enc_bytes name = enc_bytes_of_text(type);
    for (unsigned op = 0; op < OPS; op++)
        ENC_CHECK(enc_rbac_permits(&world->manifest, &world->roles, name, (enum enc_op)op,
                                   context) == permits(world, type, op, context, NULL));
}

static void ask_targets(const struct world *world, const char *type, struct enc_context context)
{
    struct enc_roles targets;
    bool wanted[ROLES] = {false};
    bool is_permitted = permits(world, type, ENC_OP_CREATE, context, wanted);
    ENC_CHECK(enc_rbac_targets(&targets, &world->manifest, &world->roles, enc_bytes_of_text(type),
                               context) == is_permitted);
    for (unsigned bit = 0; bit < ENC_ROLE_BIT_COUNT; bit++) {
        bool is_wanted = is_permitted && bit >= ENC_ROLE_CUSTOM && bit < ENC_ROLE_CUSTOM + ROLES &&
                         wanted[bit - ENC_ROLE_CUSTOM];
        ENC_CHECK(enc_roles_have(&targets, bit) == is_wanted);
    }
}

/* RBAC before the gate; the gate stops everyone but an Owner (16.28). */
static void ask_create(const struct world *world, const char *type)
{
    static const struct enc_bytes CLOSED[] = {{(const uint8_t *)"Message", 7}};
    const struct enc_gates gates = {CLOSED, 1};
    const struct enc_context actor = {.authenticated = true};
    enum enc_err want = ENC_ERR_OK;
    if (!permits(world, type, ENC_OP_CREATE, actor, NULL))
        want = ENC_ERR_UNAUTHORIZED;
    else if (strcmp(type, "Message") == 0 && !world->is_owner)
        want = ENC_ERR_GATE_CLOSED;
    ENC_CHECK(enc_rbac_create(&world->manifest, &gates, &world->roles, enc_bytes_of_text(type)) ==
              want);
}

static bool sees(const struct world *world, const struct enc_reader *reader, const char *type,
                 bool is_author)
{
    struct world nobody = *world;
    struct enc_context context = {reader->is_known && is_author, reader->is_known};
    memset(nobody.holds, 0, sizeof nobody.holds);
    nobody.is_owner = false;
    return permits(reader->is_known ? world : &nobody, type, ENC_OP_READ, context, NULL);
}

static void ask_read(const struct world *world, struct feed *feed, const char *type)
{
    static const uint8_t KEYS[2][32] = {{1}, {2}};
    unsigned bits = feed_u8(feed);
    const char *target = TYPES[feed_pick(feed, WORLD_TYPES)];
    bool is_author = bits & 1, is_target_author = bits & 2, has_target = bits & 4;
    struct enc_reader reader = {.is_known = bits & 8};
    if (reader.is_known)
        memcpy(reader.pub32, KEYS[0], 32);
    struct enc_sight sight = {.type = enc_bytes_of_text(type),
                              .from32 = KEYS[!is_author],
                              .target_type = enc_bytes_of_text(target),
                              .target_from32 = has_target ? KEYS[!is_target_author] : NULL};
    ENC_CHECK(enc_rbac_can_read(&world->manifest, &world->roles, &reader, &sight) ==
              (sees(world, &reader, type, is_author) ||
               (has_target && sees(world, &reader, target, is_target_author))));
}

static void ask_delivery(const struct world *world, const char *type)
{
    const struct enc_context nobody = {false, false};
    bool delivers = false;
    enum enc_delivery want =
        permits(world, type, ENC_OP_NOTIFY, nobody, NULL) ? ENC_DELIVERY_NOTIFY : ENC_DELIVERY_NONE;
    if (permits(world, type, ENC_OP_PUSH, nobody, NULL))
        want = ENC_DELIVERY_PUSH;
    ENC_CHECK(enc_rbac_delivery(&world->manifest, &world->roles, enc_bytes_of_text(type)) == want);
    for (size_t i = 0; i < world->row_count; i++) {
        const struct plain_row *row = &world->rows[i];
        bool is_role = strcmp(row->role, "Owner") == 0;
        for (unsigned k = 0; k < ROLES; k++)
            is_role |= strcmp(row->role, ROLE_NAMES[k]) == 0;
        delivers |= is_role && holds(world, row->role, nobody) &&
                    (row->grants[ENC_OP_PUSH] || row->grants[ENC_OP_NOTIFY]);
    }
    ENC_CHECK(enc_rbac_delivers(&world->manifest, &world->roles) == delivers);
}

/* On one type at least: on one that a row names, or on one that none does. */
static void ask_any(const struct world *world, struct enc_context context)
{
    bool reads = permits(world, "Unnamed", ENC_OP_READ, context, NULL);
    for (unsigned i = 0; i < WORLD_TYPES; i++)
        reads |= permits(world, TYPES[i], ENC_OP_READ, context, NULL);
    ENC_CHECK(enc_rbac_reads_any(&world->manifest, &world->roles, context) == reads);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct enc_arena arena, scratch;
    struct world world;
    struct feed feed = feed_of(data, len);
    unsigned bits = feed_u8(&feed);
    struct enc_context context = {.self = bits & 1, .authenticated = bits & 2};
    fuzz_arena(&arena, 0);
    fuzz_arena(&scratch, 1);
    choose(&world, &feed);
    build(&world, &arena, &scratch);
    for (unsigned i = 0; i < WORLD_TYPES; i++) {
        ask_op(&world, TYPES[i], context);
        ask_targets(&world, TYPES[i], context);
        ask_create(&world, TYPES[i]);
        ask_delivery(&world, TYPES[i]);
        ask_read(&world, &feed, TYPES[i]);
    }
    ask_any(&world, context);
    return 0;
}
