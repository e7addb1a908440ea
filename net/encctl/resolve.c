/* resolve: identity -> enclaves -> nodes by a registry. What somebody signed is checked; what only
 * the registry says is told as such. */
#include "net/encctl/out.h"
#include "net/encctl/pages.h"
#include "net/encctl/registry.h"
#include "proto/base/hex.h"
#include "proto/manifest.h"

#include <stdio.h>

struct resolver {
    struct enc_ctl *ctl;
    bool asks; /* the nodes, too */
    uint8_t registry32[32];
    const uint8_t *identity32; /* whose the enclaves are said to be; NULL: nobody's */
};

static bool lies(const char *who, const char *what)
{
    enc_out_fault("%s: %s", who, what);
    return false;
}

static bool take32(uint8_t out32[32], const struct enc_json *object, const char *name)
{
    return enc_json_hex(enc_json_get(object, name), out32, 32);
}

/* GET of a row: *out is NULL when the registry has none. False: no answer, or another refusal.
 * Lists in it begin behind offset. */
static bool get_row(struct resolver *r, const struct enc_json **out, const char *table,
                    const uint8_t key32[32], size_t offset)
{
    char hex[64];
    char path[ENC_PATH_LEN_MAX];
    struct enc_answer answer;
    enc_hex_encode(hex, enc_bytes_of(key32, 32));
    snprintf(path, sizeof path, "/%s/%.64s?limit=100&offset=%zu", table, hex, offset);
    *out = NULL;
    if (!enc_http_get(r->ctl, &r->ctl->arena, &answer, path))
        return false;
    if (answer.status == 404)
        return true;
    *out = enc_http_good(r->ctl, &answer) ? answer.json : NULL;
    return *out != NULL;
}

/* ---- what was signed ---- */

static void put_filter(struct enc_buffer *out, const char *type, const uint8_t from32[32])
{
    enc_json_member(out, "filter");
    enc_json_put_raw(out, "{");
    enc_json_member_text(out, "type", enc_bytes_of_text(type));
    enc_json_member_hex(out, "from", enc_bytes_of(from32, 32));
    enc_json_put_raw(out, ",\"limit\":1,\"reverse\":true}");
}

static bool is_sound(const struct resolver *r, struct enc_event *event, const char *type,
                     const uint8_t from32[32])
{
    return enc_event_check(event, r->ctl->curve, r->ctl->seq_pub32) == ENC_EVENT_SOUND &&
           !event->is_erased && enc_bytes_is(event->commit.type, type) &&
           memcmp(event->commit.from32, from32, 32) == 0 &&
           memcmp(event->commit.enclave32, r->registry32, 32) == 0;
}

/* The newest registration of this type by this key, as its author signed it. *out NULL: it is not
 * in this registry's own log. */
static bool get_signed(struct resolver *r, const struct enc_json **out, const char *type,
                       const uint8_t from32[32])
{
    struct enc_buffer members;
    struct enc_event event;
    struct enc_json *content = NULL;
    struct enc_json_facts facts;
    const struct enc_json *found = NULL;
    struct enc_arena *arena = &r->ctl->arena;
    struct enc_question question = {.type = "Query", .action = "", .enclave32 = r->registry32};
    *out = NULL;
    enc_buffer_init(&members, arena, 1024);
    put_filter(&members, type, from32);
    ENC_CHECK(enc_buffer_bytes(&members, &question.members) == ENC_ERR_OK);
    if (!enc_node_know(r->ctl) || !enc_ask(r->ctl, arena, &found, &question))
        return false;
    const struct enc_json *events = enc_json_get(found, "events");
    if (!events || !events->child)
        return true;
    bool is_good =
        enc_event_take(&event, arena, enc_json_get(events->child, "event")) == ENC_ERR_OK &&
        is_sound(r, &event, type, from32) &&
        enc_json_parse(&content, arena, event.commit.content, &facts) == ENC_ERR_OK;
    *out = content;
    return is_good || lies(type, "the registry's event is not what its author signed");
}

/* Looking through an owner's registrations for the one that says where an enclave has moved to. */
struct move {
    struct resolver *r;
    const struct enc_event *manifest;
    const uint8_t *from32;
    const uint8_t *node32;
    bool is_signed;
};

static bool see_registration(void *opaque, const struct enc_json *element)
{
    struct move *move = (struct move *)opaque;
    struct enc_arena *arena = &move->r->ctl->arena;
    struct enc_event event;
    uint8_t node32[32];
    struct enc_json *content = NULL;
    struct enc_json_facts facts;
    struct enc_event about;
    if (enc_event_take(&event, arena, enc_json_get(element, "event")) == ENC_ERR_OK &&
        is_sound(move->r, &event, "Reg_Enclave", move->from32) &&
        enc_json_parse(&content, arena, event.commit.content, &facts) == ENC_ERR_OK &&
        take32(node32, content, "node_pub") && memcmp(node32, move->node32, 32) == 0 &&
        enc_event_take(&about, arena, enc_json_get(content, "manifest")) == ENC_ERR_OK &&
        memcmp(about.id32, move->manifest->id32, 32) == 0)
        move->is_signed = true;
    return true;
}

/* Whether one who may has signed that the enclave is at node32 now, not where its Manifest was. */
static bool is_move_signed(struct resolver *r, const struct enc_json *row,
                           const struct enc_event *manifest, const uint8_t node32[32])
{
    char filter[256], from[64];
    uint8_t from32[32];
    struct enc_manifest rules;
    struct enc_arena *arena = &r->ctl->arena;
    struct move move = {r, manifest, from32, node32, false};
    struct enc_pages pages = {
        .ctl = r->ctl, .enclave32 = r->registry32, .element = see_registration, .opaque = &move};
    if (!take32(from32, row, "from_pub") ||
        enc_manifest_parse(&rules, arena, arena, manifest->commit.content, NULL) != ENC_ERR_OK ||
        !enc_manifest_may_register(&rules, manifest, from32) ||
        memcmp(from32, manifest->sequencer32, 32) == 0)
        return false;
    enc_hex_encode(from, enc_bytes_of(from32, 32));
    snprintf(filter, sizeof filter, "{\"type\":\"Reg_Enclave\",\"from\":\"%.64s\",\"limit\":100}",
             from);
    return enc_node_know(r->ctl) && enc_pages_filter(&pages, filter) &&
           enc_pages_read(&pages, true) && move.is_signed;
}

static bool same_text(const struct enc_json *a, const struct enc_json *b, const char *name)
{
    struct enc_bytes x = ENC_LIT(""), y = ENC_LIT("");
    bool has_x = enc_json_text(enc_json_get(a, name), &x);
    bool has_y = enc_json_text(enc_json_get(b, name), &y);
    return has_x == has_y && enc_bytes_equal(x, y);
}

static bool same_endpoints(const struct enc_json *a, const struct enc_json *b)
{
    const struct enc_json *x = enc_json_get(a, "endpoints");
    const struct enc_json *y = enc_json_get(b, "endpoints");
    if (!x || !y || x->count != y->count)
        return false;
    for (x = x->child, y = y->child; x && y; x = x->next, y = y->next) {
        uint64_t first = 0, second = 0;
        if (!same_text(x, y, "uri") || !enc_json_u64(enc_json_get(x, "priority"), &first) ||
            !enc_json_u64(enc_json_get(y, "priority"), &second) || first != second)
            return false;
    }
    return true;
}

/* ---- the node itself ---- */

static struct enc_bytes first_uri(const struct enc_json *node)
{
    struct enc_bytes uri, best = {NULL, 0};
    uint64_t priority = 0, best_priority = UINT64_MAX;
    const struct enc_json *endpoints = enc_json_get(node, "endpoints");
    for (const struct enc_json *at = endpoints ? endpoints->child : NULL; at; at = at->next) {
        if (enc_json_text(enc_json_get(at, "uri"), &uri) && uri.len > 4 &&
            memcmp(uri.data, "http", 4) == 0 &&
            enc_json_u64(enc_json_get(at, "priority"), &priority) && priority < best_priority) {
            best = uri;
            best_priority = priority;
        }
    }
    while (best.len > 0 && best.data[best.len - 1] == '/')
        best.len--;
    return best;
}

/* The Manifest by the mount that has it: the endpoint tells the node, not the service. */
static const struct enc_json *ask_mounts(struct resolver *r, struct enc_bytes base,
                                         const uint8_t enclave32[32])
{
    struct enc_answer info, answer;
    struct enc_bytes mount;
    char hex[64], path[ENC_PATH_LEN_MAX * 2];
    enc_hex_encode(hex, enc_bytes_of(enclave32, 32));
    struct enc_bytes url = enc_arena_copy(&r->ctl->arena, base);
    ENC_CHECK(url.data != NULL);
    enc_ctl_turn_to(r->ctl, (const char *)url.data);
    if (!enc_http_get(r->ctl, &r->ctl->arena, &info, "/info/node"))
        return NULL;
    const struct enc_json *services = enc_json_get(info.json, "services");
    for (const struct enc_json *s = services ? services->child : NULL; s; s = s->next) {
        if (!enc_json_text(enc_json_get(s, "mount"), &mount) || mount.len > 64)
            continue;
        if (enc_bytes_is(mount, "/"))
            mount.len = 0;
        snprintf(path, sizeof path, "%.*s/enclave/%.64s/info/manifest", (int)mount.len,
                 (const char *)mount.data, hex);
        if (enc_http_get(r->ctl, &r->ctl->arena, &answer, path) && answer.status == 200)
            return answer.json;
    }
    return NULL;
}

/* Whether who answers there has the enclave and is its sequencer. */
static bool ask_node(struct resolver *r, const struct enc_event *manifest,
                     const struct enc_json *node)
{
    struct enc_event shown;
    struct enc_bytes uri = first_uri(node);
    const char *registry = r->ctl->url;
    if (uri.len == 0)
        return lies("node", "it has no http endpoint to ask");
    const struct enc_json *json = ask_mounts(r, uri, manifest->commit.enclave32);
    enc_ctl_turn_to(r->ctl, registry);
    bool is_same = json &&
                   !enc_registry_check_manifest(r->ctl, &shown, json, manifest->commit.enclave32) &&
                   memcmp(shown.id32, manifest->id32, 32) == 0;
    return is_same || lies("node", "it does not show this enclave at its endpoint");
}

/* ---- an enclave ---- */

/* What is known of a node beyond the registry's word. */
static bool check_node(struct resolver *r, const char **how, const struct enc_json *node,
                       const struct enc_event *manifest)
{
    uint8_t seq_pub32[32];
    const struct enc_json *content = NULL;
    *how = "not registered";
    if (!node || node->kind != ENC_JSON_OBJECT)
        return true;
    if (!take32(seq_pub32, node, "seq_pub") || memcmp(seq_pub32, manifest->sequencer32, 32) != 0)
        return lies("node", "it is not the sequencer of the enclave");
    if (!get_signed(r, &content, "Reg_Node", seq_pub32))
        return false;
    *how = content ? "signed" : "not in the registry's own log";
    if (content && !same_endpoints(content, node))
        return lies("node", "its endpoints are not those it signed");
    if (!r->asks)
        return true;
    *how = content ? "signed, asked" : "asked";
    return ask_node(r, manifest, node);
}

/* Whether who is said to have registered it may have done so. */
static bool is_theirs(const struct resolver *r, const struct enc_event *manifest)
{
    struct enc_manifest rules;
    struct enc_arena *arena = &r->ctl->arena;
    return !r->identity32 || (enc_manifest_parse(&rules, arena, arena, manifest->commit.content,
                                                 NULL) == ENC_ERR_OK &&
                              enc_manifest_may_register(&rules, manifest, r->identity32));
}

static void tell_enclave(const struct resolver *r, const struct enc_json *both, const char *how)
{
    struct enc_buffer out;
    const struct enc_json *enclave = enc_json_get(both, "enclave");
    const struct enc_json *node = enc_json_get(both, "node");
    struct enc_bytes text;
    if (r->ctl->is_json) {
        enc_buffer_init(&out, &r->ctl->arena, SIZE_MAX / 4);
        enc_json_put_raw(&out, "{\"type\":\"enclave\"");
        enc_json_member_raw(&out, "enclave", enclave->text);
        enc_json_member_raw(&out, "node", node ? node->text : ENC_LIT("null"));
        enc_json_member_raw(&out, "manifest", ENC_LIT("\"verified\""));
        enc_json_member_text(&out, "registration", enc_bytes_of_text(how));
        enc_json_put_raw(&out, "}");
        enc_out_buffer(&out);
        return;
    }
    enc_out_text("enclave", enc_json_get(enclave, "enclave_id")->text);
    enc_out_text("  manifest", ENC_LIT("verified"));
    if (enc_json_text(enc_json_get(enclave, "app"), &text))
        enc_out_said("  app", text);
    enc_out_text("  node", enc_json_get(enclave, "node_pub")->text);
    enc_out_text("  registration", enc_bytes_of_text(how));
    const struct enc_json *endpoints = enc_json_get(node, "endpoints");
    for (const struct enc_json *at = endpoints ? endpoints->child : NULL; at; at = at->next)
        if (enc_json_text(enc_json_get(at, "uri"), &text))
            enc_out_said("  endpoint", text);
}

/* *found false: the registry has no such enclave. */
static bool resolve_enclave(struct resolver *r, const uint8_t enclave32[32], bool *found)
{
    uint8_t id32[32], node32[32];
    struct enc_event manifest;
    const char *how = "";
    const struct enc_json *both = NULL;
    if (!get_row(r, &both, "resolve", enclave32, 0))
        return false;
    *found = both != NULL;
    if (!both)
        return true;
    const struct enc_json *row = enc_json_get(both, "enclave");
    const char *wrong =
        enc_registry_check_manifest(r->ctl, &manifest, enc_json_get(row, "manifest"), enclave32);
    if (wrong)
        return lies("manifest", wrong);
    if (!take32(id32, row, "enclave_id") || memcmp(id32, enclave32, 32) != 0 ||
        !take32(node32, row, "node_pub"))
        return lies("enclave", "its row is not about it");
    if (!is_theirs(r, &manifest))
        return lies("enclave", "it is not of this identity");
    bool has_moved = memcmp(node32, manifest.sequencer32, 32) != 0;
    if (has_moved && !is_move_signed(r, row, &manifest, node32))
        return lies("enclave", "nobody who may has signed that it moved to this node");
    struct enc_event at_node = manifest;
    memcpy(at_node.sequencer32, node32, 32);
    if (!check_node(r, &how, enc_json_get(both, "node"), &at_node))
        return false;
    tell_enclave(r, both, how);
    return true;
}

/* ---- an identity ---- */

static void tell_identity(const struct resolver *r, const struct enc_json *row, const char *how)
{
    static const char *const NAMES[] = {"display_name", "avatar", "bio"};
    struct enc_buffer out;
    struct enc_bytes text;
    if (r->ctl->is_json) {
        enc_buffer_init(&out, &r->ctl->arena, SIZE_MAX / 4);
        enc_json_put_raw(&out, "{\"type\":\"identity\"");
        enc_json_member_raw(&out, "identity", row->text);
        enc_json_member_text(&out, "registration", enc_bytes_of_text(how));
        enc_json_put_raw(&out, "}");
        enc_out_buffer(&out);
        return;
    }
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++)
        if (enc_json_text(enc_json_get(row, NAMES[i]), &text))
            enc_out_said(NAMES[i], text);
    enc_out_text("registration", enc_bytes_of_text(how));
}

/* The enclaves that it names, in the order in which it names them. */
static bool same_names(const struct enc_json *content, const struct enc_json *row)
{
    uint8_t named32[32], shown32[32];
    struct enc_bytes name;
    const struct enc_json *map = enc_json_get(content, "enclaves");
    const struct enc_json *list = enc_json_get(row, "enclaves");
    const struct enc_json *named = map ? map->child : NULL;
    for (const struct enc_json *at = list ? list->child : NULL; at; at = at->next) {
        if (!enc_json_text(enc_json_get(at, "name"), &name))
            continue;
        if (!named || !enc_bytes_equal(named->key, name) || !enc_json_hex(named, named32, 32) ||
            !take32(shown32, at, "enclave_id") || memcmp(named32, shown32, 32) != 0)
            return false;
        named = named->next;
    }
    return !named;
}

static bool check_identity(struct resolver *r, const struct enc_json *row, const uint8_t key32[32])
{
    uint8_t shown32[32];
    const struct enc_json *content = NULL;
    if (!take32(shown32, row, "pub_key") || memcmp(shown32, key32, 32) != 0)
        return lies("identity", "its row is not about it");
    if (!get_signed(r, &content, "Reg_Identity", key32))
        return false;
    if (content && !(same_text(content, row, "display_name") && same_text(content, row, "avatar") &&
                     same_text(content, row, "bio")))
        return lies("identity", "its row is not what it signed");
    if (content && !same_names(content, row))
        return lies("identity", "the enclaves it names are not those it signed");
    tell_identity(r, row, content ? "signed" : "not in the registry's own log");
    return true;
}

/* An element of an identity's enclaves: it may name any, and registered its own. */
static bool resolve_element(struct resolver *r, const struct enc_json *element,
                            const uint8_t *identity32)
{
    uint8_t enclave32[32];
    bool found = false;
    if (!take32(enclave32, element, "enclave_id"))
        return lies("identity", "one of its enclaves has no id");
    r->identity32 = identity32;
    if (!resolve_enclave(r, enclave32, &found))
        return false;
    if (!found && !r->ctl->is_json)
        enc_out_text("not registered", enc_json_get(element, "enclave_id")->text);
    return true;
}

/* Those it names stand on every page, and are told with the first. */
static bool resolve_page(struct resolver *r, size_t *seen, const struct enc_json *row,
                         const uint8_t key32[32])
{
    bool is_first = *seen == 0;
    const struct enc_json *enclaves = enc_json_get(row, "enclaves");
    for (const struct enc_json *at = enclaves ? enclaves->child : NULL; at; at = at->next) {
        bool is_named = enc_json_get(at, "name") != NULL;
        *seen += !is_named;
        if ((is_first || !is_named) && !resolve_element(r, at, is_named ? NULL : key32))
            return false;
    }
    return true;
}

static bool resolve_identity(struct resolver *r, const struct enc_json *row,
                             const uint8_t key32[32])
{
    uint64_t total = 0;
    size_t seen = 0;
    size_t before = 0;
    bool is_good = check_identity(r, row, key32);
    if (is_good && !enc_json_u64(enc_json_get(row, "total"), &total))
        return lies("identity", "its enclaves are not counted");
    do {
        before = seen;
        is_good = is_good && resolve_page(r, &seen, row, key32) &&
                  (seen >= total || get_row(r, &row, "identities", key32, seen));
    } while (is_good && row && seen > before && seen < total);
    return is_good;
}

static enum enc_exit resolve(struct resolver *r, const uint8_t id32[32])
{
    bool found = false;
    const struct enc_json *row = NULL;
    if (!get_row(r, &row, "identities", id32, 0))
        return ENC_EXIT_REFUSED;
    if (row)
        return resolve_identity(r, row, id32) ? ENC_EXIT_OK : ENC_EXIT_REFUSED;
    if (!resolve_enclave(r, id32, &found))
        return ENC_EXIT_REFUSED;
    if (!found)
        enc_out_fault("the registry knows no such identity or enclave");
    return found ? ENC_EXIT_OK : ENC_EXIT_REFUSED;
}

enum enc_exit enc_command_resolve(struct enc_ctl *ctl, const struct enc_args *args)
{
    uint8_t id32[32];
    struct resolver r = {.ctl = ctl, .asks = args->values[ENC_OPTION_ASK] != NULL};
    if (!enc_ctl_hex32(id32, args->words[0], "ID"))
        return ENC_EXIT_USAGE;
    return enc_registry_find(ctl, r.registry32) ? resolve(&r, id32) : ENC_EXIT_REFUSED;
}
