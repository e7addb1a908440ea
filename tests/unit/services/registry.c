#include "services/registry.h"

#include "host_fixture.h"

#include "services/inside.h"

#include <stdlib.h>

static struct rig rig;

static void setup(void)
{
    rig_open(&rig, 1);
    rig_turn_to(&rig, &ENC_SERVICE_REGISTRY);
}

static void fini(void)
{
    rig_check(&rig);
    rig_close(&rig);
}

TestSuite(registry, .init = setup, .fini = fini);

static const uint8_t *registry32(void)
{
    return rig.host->singletons32[rig.service];
}

static const char *key_of(enum who who)
{
    return rig_hex(&rig, rig.keys[who].pub32, 32);
}

static struct draft draft_of(enum who who, const char *type, const char *content)
{
    return (struct draft){.who = who, .enclave32 = registry32(), .type = type, .content = content};
}

static struct enc_event accept(enum who who, const char *type, const char *content)
{
    struct draft draft = draft_of(who, type, content);
    return rig_accept(&rig, &draft);
}

/* It is refused, and not a byte of the store is another. */
static void refuse(enum who who, const char *type, const char *content, const char *code)
{
    uint8_t before32[32];
    uint8_t after32[32];
    struct draft draft = draft_of(who, type, content);
    rig_dump(&rig, before32);
    struct enc_call *call = rig_commit(&rig, &draft);
    rig_dump(&rig, after32);
    cr_assert(json_is(call_json(call), "code", code), "%s, not %s", call->body, code);
    cr_assert_eq(json_u64(call_json(call), "step"), 8);
    cr_assert_arr_eq(before32, after32, 32);
}

static void delete_event(enum who who, const struct enc_event *event)
{
    struct draft draft = draft_of(who, "Delete", "");
    draft.target32 = event->id32;
    rig_accept(&rig, &draft);
}

static const struct enc_json *get(const char *path)
{
    struct enc_call *call = rig_get(&rig, path);
    cr_assert_eq(call->status, 200, "%s: %s", path, call->body);
    return call_json(call);
}

static const char *node_of(enum who who, const char *uri)
{
    return rig_text(&rig,
                    "{\"seq_pub\":\"%s\",\"endpoints\":[{\"uri\":\"wss://w.example\","
                    "\"priority\":0},{\"uri\":\"https://late.example\",\"priority\":9},"
                    "{\"uri\":\"%s\",\"priority\":1,\"x\":2},{\"uri\":\"https://same.example\","
                    "\"priority\":1}],\"protocols\":[\"https\",\"wss\"],\"enc_v\":1}",
                    key_of(who), uri);
}

/* ---- an enclave of another node: MEMBER is its sequencer, its Owner is `owner` ---- */

struct foreign {
    enum who author;
    enum who owner;
    const char *nonce;
};

static struct enc_event foreign_manifest(const struct foreign *foreign)
{
    struct enc_event event = {.timestamp_ms = 1750000000000, .type_seq = 1};
    const char *content =
        rig_text(&rig,
                 "{\"enc_v\":1,\"RBAC\":{\"roles\":[],\"schema\":[],\"initial_state\":"
                 "{\"Owner\":[\"%s\"]}},\"meta\":{\"nonce\":\"%s\"}}",
                 key_of(foreign->owner), foreign->nonce);
    event.commit = (struct enc_commit){.type = ENC_LIT("Manifest"),
                                       .content = enc_bytes_of_text(content),
                                       .exp_ms = 1750000050000};
    cr_assert_eq(enc_commit_sign(rig.curve, &event.commit, &rig.keys[foreign->author]), ENC_ERR_OK);
    enc_event_finalise(&event, rig.curve, &rig.keys[MEMBER]);
    return event;
}

static const char *event_json(const struct enc_event *event)
{
    struct enc_buffer out;
    enc_buffer_init(&out, &rig.arena, 1 << 20);
    enc_event_put_json(&out, event, false);
    return rig_text(&rig, "%.*s", (int)out.len, (const char *)out.data);
}

static const char *enclave_of(const char *manifest, enum who node, const char *more)
{
    return rig_text(&rig, "{\"manifest\":%s,\"node_pub\":\"%s\"%s}", manifest, key_of(node), more);
}

static const char *register_foreign(const struct foreign *foreign, enum who who)
{
    struct enc_event manifest = foreign_manifest(foreign);
    accept(who, "Reg_Enclave", enclave_of(event_json(&manifest), MEMBER, ",\"app\":\"x\""));
    return rig_hex(&rig, manifest.commit.enclave32, 32);
}

/* ---- the seven fields ---- */

Test(registry, is_the_singleton_of_the_seed)
{
    const struct enc_enclave *enclave = &ENC_SERVICE_REGISTRY.enclave;
    const struct enc_route *rows[ENC_ROUTE_MAX];
    const char *names[ENC_TABLE_MAX];
    cr_assert_not_null(enclave->schema.fixed_json);
    cr_assert(enclave->has_dataview);
    cr_assert_not(enclave->has_push || enclave->has_bootstrap || enclave->encrypted);
    cr_assert_eq(enclave->addressing.segment, 0);
    cr_assert_str_eq(enclave->addressing.name, "registry");
    cr_assert_eq(enc_enclave_routes(enclave, rows), 6 + 1 + 6);
    cr_assert_eq(enc_enclave_reads(enclave, rows), 5);
    cr_assert_str_eq(rows[4]->path, "/identities/:id");
    cr_assert_eq(enc_enclave_tables(enclave, names), 2);
}

Test(registry, its_schema_is_that_of_appendix_a)
{
    const struct enc_json *schema =
        rig_json(&rig, enc_bytes_of_text(ENC_SERVICE_REGISTRY.enclave.schema.fixed_json));
    cr_assert_eq(enc_json_get(schema, "roles")->count, 1);
    cr_assert_eq(enc_json_get(schema, "schema")->count, 17);
}

Test(registry, is_made_at_the_first_start_and_found_at_the_next)
{
    uint8_t first32[32];
    const struct enc_json *info = get("/info/enclave");
    cr_assert(json_is(info, "enclave", rig_hex(&rig, registry32(), 32)));
    cr_assert(json_is(info, "service", "registry"));
    const struct enc_json *manifest = get("/info/manifest");
    cr_assert(json_is(manifest, "from", rig_hex(&rig, rig.node.pub32, 32)));
    memcpy(first32, registry32(), 32);
    accept(OWNER, "Reg_Identity", "{\"display_name\":\"A\"}");
    rig_restart(&rig);
    cr_assert_arr_eq(registry32(), first32, 32);
    cr_assert_eq(json_u64(get("/info/enclave"), "seq"), 1);
}

Test(registry, knows_no_second_manifest)
{
    uint8_t before32[32];
    uint8_t after32[32];
    struct enc_commit commit = rig_sign_manifest(&rig, rig_manifest(&rig, &(struct shape){0}));
    rig_dump(&rig, before32);
    struct enc_call *call = rig_post(&rig, "/", rig_commit_json(&rig, &commit));
    cr_assert(call_is(call, 409, "ENCLAVE_EXISTS"));
    rig_dump(&rig, after32);
    cr_assert_arr_eq(before32, after32, 32);
}

/* ---- nodes ---- */

Test(registry, a_node_registers_itself)
{
    struct enc_event event = accept(OWNER, "Reg_Node", node_of(OWNER, "https://n.example"));
    const struct enc_json *row = get(rig_text(&rig, "/nodes/%s", key_of(OWNER)));
    cr_assert_eq(row->count, 6);
    cr_assert(json_is(row, "seq_pub", key_of(OWNER)));
    cr_assert(json_is(row, "from_pub", key_of(OWNER)));
    cr_assert_eq(json_u64(row, "enc_v"), 1);
    cr_assert_eq(json_u64(row, "registered_at"), event.timestamp_ms);
    cr_assert_eq(enc_json_get(row, "protocols")->count, 2);
    const struct enc_json *endpoints = enc_json_get(row, "endpoints");
    cr_assert_eq(endpoints->count, 4);
    cr_assert(json_is(endpoints->child->next->next, "uri", "https://n.example"));
    cr_assert_eq(endpoints->child->next->next->count, 2, "members that mean nothing are dropped");
}

Test(registry, nobody_registers_the_node_of_somebody_else)
{
    refuse(STRANGER, "Reg_Node", node_of(OWNER, "https://n.example"), "UNAUTHORIZED");
    refuse(OWNER, "Reg_Node", "{}", "INVALID_CONTENT");
    refuse(OWNER, "Reg_Node", "not JSON", "INVALID_CONTENT");
    cr_assert(
        call_is(rig_get(&rig, rig_text(&rig, "/nodes/%s", key_of(OWNER))), 404, "NODE_NOT_FOUND"));
}

static void check_nodes(const char *query, size_t count, enum who first, uint64_t total)
{
    const struct enc_json *json = get(rig_text(&rig, "/nodes%s", query));
    const struct enc_json *nodes = enc_json_get(json, "nodes");
    cr_assert_eq(nodes->count, count, "%s: %zu", query, nodes->count);
    cr_assert(count == 0 || json_is(nodes->child, "seq_pub", key_of(first)), "%s", query);
    cr_assert_eq(json_u64(json, "total"), total);
}

Test(registry, nodes_are_listed_by_time_page_by_page)
{
    check_nodes("", 0, OWNER, 0);
    for (enum who who = OWNER; who <= STRANGER; who++) {
        accept(who, "Reg_Node", node_of(who, "https://n.example"));
        rig_sleep(&rig, 10);
    }
    check_nodes("", 3, OWNER, 3);
    check_nodes("?limit=1", 1, OWNER, 3);
    check_nodes("?limit=2&offset=1", 2, MEMBER, 3);
    check_nodes("?offset=3", 0, OWNER, 3);
    check_nodes("?offset=100000", 0, OWNER, 3);
    accept(OWNER, "Reg_Node", node_of(OWNER, "https://other.example"));
    check_nodes("?limit=100", 3, MEMBER, 3);
    check_nodes("?offset=2&unknown=1", 1, OWNER, 3);
    static const char *const BAD[] = {"?limit=0",   "?limit=101",     "?limit=x",        "?limit=",
                                      "?offset=-1", "?offset=100001", "?limit=1&limit=2"};
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
        cr_assert(call_is(rig_get(&rig, rig_text(&rig, "/nodes%s", BAD[i])), 400, "INVALID_QUERY"),
                  "%s", BAD[i]);
}

Test(registry, nodes_of_one_moment_are_listed_by_key)
{
    const char *last = "";
    for (enum who who = OWNER; who <= GUEST; who++)
        rig_send(&rig, "/",
                 rig_body(&rig, &(struct draft){.who = who,
                                                .enclave32 = registry32(),
                                                .type = "Reg_Node",
                                                .content = node_of(who, "https://n.example")}));
    rig_settle(&rig);
    const struct enc_json *nodes = enc_json_get(get("/nodes"), "nodes");
    uint64_t moment = json_u64(nodes->child, "registered_at");
    cr_assert_eq(nodes->count, 4);
    for (const struct enc_json *at = nodes->child; at; at = at->next) {
        struct enc_bytes key = enc_json_get(at, "seq_pub")->text;
        cr_assert_eq(json_u64(at, "registered_at"), moment);
        const char *text = rig_text(&rig, "%.64s", (const char *)key.data);
        cr_assert(strcmp(text, last) > 0);
        last = text;
    }
}

static void setup_short(void)
{
    rig_close(&rig); /* the suite's */
    rig_init(&rig, 2);
    rig.config.limits.query_body_len_max = 1024;
    rig_start(&rig);
    rig_turn_to(&rig, &ENC_SERVICE_REGISTRY);
}

Test(registry, a_long_page_ends_early_but_not_before_its_first_row, .init = setup_short)
{
    const char *uri = rig_text(&rig, "https://n.example/%0800d", 1);
    for (enum who who = OWNER; who <= STRANGER; who++) {
        accept(who, "Reg_Node", node_of(who, uri));
        rig_sleep(&rig, 10);
    }
    check_nodes("", 1, OWNER, 3);
    check_nodes("?offset=1", 1, MEMBER, 3);
    register_foreign(&(struct foreign){OWNER, OWNER, "1"}, OWNER);
    register_foreign(&(struct foreign){OWNER, OWNER, "2"}, OWNER);
    accept(OWNER, "Reg_Identity",
           rig_text(&rig, "{\"display_name\":\"A\",\"bio\":\"%02000d\"}", 1));
    const struct enc_json *row = get(rig_text(&rig, "/identities/%s", key_of(OWNER)));
    cr_assert_eq(enc_json_get(row, "enclaves")->count, 1);
    cr_assert_eq(json_u64(row, "total"), 2);
}

/* ---- enclaves ---- */

Test(registry, author_owner_and_sequencer_register_an_enclave)
{
    const enum who ALLOWED[] = {OWNER, STRANGER, MEMBER};
    for (size_t i = 0; i < sizeof ALLOWED / sizeof ALLOWED[0]; i++) {
        struct foreign foreign = {OWNER, STRANGER, rig_text(&rig, "%zu", i)};
        struct enc_event manifest = foreign_manifest(&foreign);
        const char *content = enclave_of(event_json(&manifest), MEMBER, ",\"app\":\"notes\"");
        refuse(GUEST, "Reg_Enclave", content, "UNAUTHORIZED");
        struct enc_event event = accept(ALLOWED[i], "Reg_Enclave", content);
        const struct enc_json *row =
            get(rig_text(&rig, "/enclaves/%s", rig_hex(&rig, manifest.commit.enclave32, 32)));
        cr_assert_eq(row->count, 6);
        cr_assert(json_is(row, "node_pub", key_of(MEMBER)));
        cr_assert(json_is(row, "from_pub", key_of(ALLOWED[i])));
        cr_assert(json_is(row, "app", "notes"));
        cr_assert_eq(json_u64(row, "registered_at"), event.timestamp_ms);
        struct enc_event parsed;
        cr_assert_eq(enc_event_take(&parsed, &rig.arena, enc_json_get(row, "manifest")),
                     ENC_ERR_OK);
        cr_assert_eq(enc_event_check(&parsed, rig.curve, rig.keys[MEMBER].pub32), ENC_EVENT_SOUND);
    }
}

Test(registry, a_manifest_that_does_not_verify_is_invalid_content)
{
    struct enc_event good = foreign_manifest(&(struct foreign){OWNER, OWNER, "1"});
    struct enc_event bad = good;
    bad.commit.sig64[63] ^= 1;
    refuse(OWNER, "Reg_Enclave", enclave_of(event_json(&bad), MEMBER, ""), "INVALID_CONTENT");
    bad = good;
    bad.seq_sig64[63] ^= 1;
    refuse(OWNER, "Reg_Enclave", enclave_of(event_json(&bad), MEMBER, ""), "INVALID_CONTENT");
    bad = good;
    bad.id32[0] ^= 1;
    refuse(OWNER, "Reg_Enclave", enclave_of(event_json(&bad), MEMBER, ""), "INVALID_CONTENT");
    bad = good;
    bad.is_erased = true;
    refuse(OWNER, "Reg_Enclave", enclave_of(event_json(&bad), MEMBER, ""), "INVALID_CONTENT");
    bad = good;
    bad.seq = 1;
    enc_event_finalise(&bad, rig.curve, &rig.keys[MEMBER]);
    refuse(OWNER, "Reg_Enclave", enclave_of(event_json(&bad), MEMBER, ""), "INVALID_CONTENT");
    refuse(OWNER, "Reg_Enclave", enclave_of(event_json(&good), OWNER, ""), "INVALID_CONTENT");
    refuse(OWNER, "Reg_Enclave", enclave_of("{}", MEMBER, ""), "INVALID_CONTENT");
    refuse(OWNER, "Reg_Enclave", enclave_of("null", MEMBER, ""), "INVALID_CONTENT");
    refuse(OWNER, "Reg_Enclave", "{}", "INVALID_CONTENT");
    static const char *const MORE[] = {",\"app\":\"\"", ",\"app\":null", ",\"desc\":7",
                                       ",\"meta\":\"x\""};
    for (size_t i = 0; i < sizeof MORE / sizeof MORE[0]; i++)
        refuse(OWNER, "Reg_Enclave", enclave_of(event_json(&good), MEMBER, MORE[i]),
               "INVALID_CONTENT");
    accept(OWNER, "Reg_Enclave",
           enclave_of(event_json(&good), MEMBER, ",\"desc\":\"\",\"meta\":{},\"more\":0"));
}

/* The commit is well signed, but it is not a Manifest's, or not that of its enclave. */
Test(registry, an_event_that_is_no_manifest_is_invalid_content)
{
    struct enc_event event = foreign_manifest(&(struct foreign){OWNER, OWNER, "1"});
    struct enc_commit *commit = &event.commit;
    commit->type = ENC_LIT("Note");
    cr_assert_eq(enc_commit_sign(rig.curve, commit, &rig.keys[OWNER]), ENC_ERR_OK);
    enc_event_finalise(&event, rig.curve, &rig.keys[MEMBER]);
    cr_assert_eq(enc_event_check(&event, rig.curve, NULL), ENC_EVENT_SOUND);
    refuse(OWNER, "Reg_Enclave", enclave_of(event_json(&event), MEMBER, ""), "INVALID_CONTENT");
    struct enc_commit other = rig_sign_manifest(&rig, "{\"enc_v\":9}");
    event.commit = other;
    enc_event_finalise(&event, rig.curve, &rig.keys[MEMBER]);
    cr_assert_eq(enc_event_check(&event, rig.curve, NULL), ENC_EVENT_SOUND);
    refuse(OWNER, "Reg_Enclave", enclave_of(event_json(&event), MEMBER, ""), "INVALID_CONTENT");
    /* a good Manifest under another enclave's id */
    struct enc_event good = foreign_manifest(&(struct foreign){OWNER, OWNER, "2"});
    struct draft draft = {.who = OWNER, .enclave32 = registry32(), .type = "Manifest"};
    draft.content = rig_text(&rig, "%.*s", (int)good.commit.content.len,
                             (const char *)good.commit.content.data);
    event.commit = rig_sign(&rig, &draft);
    enc_event_finalise(&event, rig.curve, &rig.keys[MEMBER]);
    cr_assert_eq(enc_event_check(&event, rig.curve, NULL), ENC_EVENT_SOUND);
    refuse(OWNER, "Reg_Enclave", enclave_of(event_json(&event), MEMBER, ""), "INVALID_CONTENT");
}

Test(registry, a_row_is_replaced_by_its_author_only)
{
    struct foreign foreign = {OWNER, STRANGER, "1"};
    struct enc_event manifest = foreign_manifest(&foreign);
    const char *json = event_json(&manifest);
    const char *path = rig_text(&rig, "/enclaves/%s", rig_hex(&rig, manifest.commit.enclave32, 32));
    struct enc_event event = accept(STRANGER, "Reg_Enclave", enclave_of(json, MEMBER, ""));
    cr_assert_eq(enc_json_get(get(path), "app")->kind, ENC_JSON_NULL);
    refuse(OWNER, "Reg_Enclave", enclave_of(json, MEMBER, ",\"app\":\"mine\""), "UNAUTHORIZED");
    refuse(MEMBER, "Reg_Enclave", enclave_of(json, MEMBER, ",\"app\":\"mine\""), "UNAUTHORIZED");
    event = accept(STRANGER, "Reg_Enclave", enclave_of(json, MEMBER, ",\"app\":\"b\""));
    cr_assert(json_is(get(path), "app", "b"));
    delete_event(STRANGER, &event);
    cr_assert(call_is(rig_get(&rig, path), 404, "ENCLAVE_NOT_FOUND"));
    accept(OWNER, "Reg_Enclave", enclave_of(json, MEMBER, ",\"app\":\"mine\""));
    cr_assert(json_is(get(path), "from_pub", key_of(OWNER)));
}

/* Two registrations in one run: the second is judged on what the first has staged. */
Test(registry, a_foreign_overwrite_is_refused_within_a_run)
{
    struct enc_event manifest = foreign_manifest(&(struct foreign){OWNER, STRANGER, "1"});
    const char *content = enclave_of(event_json(&manifest), MEMBER, "");
    struct draft first = draft_of(OWNER, "Reg_Enclave", content);
    struct draft second = draft_of(STRANGER, "Reg_Enclave", content);
    struct enc_call *a = rig_send(&rig, "/", rig_body(&rig, &first));
    struct enc_call *b = rig_send(&rig, "/", rig_body(&rig, &second));
    rig_settle(&rig);
    cr_assert_eq(a->status, 200);
    cr_assert(call_is(b, 403, "UNAUTHORIZED"));
}

/* ---- identities ---- */

Test(registry, an_identity_is_answered_with_its_enclaves)
{
    const char *path = rig_text(&rig, "/identities/%s", key_of(OWNER));
    cr_assert(call_is(rig_get(&rig, path), 404, "IDENTITY_NOT_FOUND"));
    const char *first = register_foreign(&(struct foreign){OWNER, OWNER, "1"}, OWNER);
    register_foreign(&(struct foreign){OWNER, STRANGER, "2"}, STRANGER);
    rig_sleep(&rig, 5);
    const char *second = register_foreign(&(struct foreign){OWNER, OWNER, "3"}, OWNER);
    cr_assert(call_is(rig_get(&rig, path), 404, "IDENTITY_NOT_FOUND"), "enclaves are not enough");
    struct enc_event event =
        accept(OWNER, "Reg_Identity",
               rig_text(&rig,
                        "{\"display_name\":\"A\\n\",\"bio\":\"b\",\"enclaves\":{"
                        "\"personal\":\"%s\"}}",
                        second));
    const struct enc_json *row = get(path);
    cr_assert(json_is(row, "pub_key", key_of(OWNER)));
    cr_assert(json_is(row, "display_name", "A\n"));
    cr_assert_eq(enc_json_get(row, "avatar")->kind, ENC_JSON_NULL);
    cr_assert(json_is(row, "bio", "b"));
    cr_assert_eq(json_u64(row, "registered_at"), event.timestamp_ms);
    cr_assert_eq(json_u64(row, "total"), 2);
    const struct enc_json *enclaves = enc_json_get(row, "enclaves");
    cr_assert_eq(enclaves->count, 3);
    cr_assert(json_is(enclaves->child, "enclave_id", first));
    cr_assert_not_null(enc_json_get(enclaves->child, "manifest"));
    cr_assert(json_is(enclaves->child->next, "enclave_id", second));
    const struct enc_json *named = enclaves->child->next->next;
    cr_assert(json_is(named, "name", "personal") && json_is(named, "enclave_id", second));
    cr_assert_eq(named->count, 2);
    row = get(rig_text(&rig, "/identity/%s?limit=1&offset=1", key_of(OWNER)));
    cr_assert_eq(enc_json_get(row, "enclaves")->count, 2, "the alias, and a page of it");
    cr_assert(json_is(enc_json_get(row, "enclaves")->child, "enclave_id", second));
    refuse(OWNER, "Reg_Identity", "{}", "INVALID_CONTENT");
}

/* ---- Delete ---- */

static size_t count_rows(void)
{
    struct enc_snap *snap = NULL;
    struct enc_enclave_row row;
    size_t count = 0;
    cr_assert_eq(enc_snap_open(enc_data_shard_at(rig.data, 0), &snap), ENC_ERR_OK);
    cr_assert_eq(enc_snap_enclave(snap, &row, registry32()), ENC_ERR_OK);
    for (uint32_t number = ENC_VIEW_OWN; number <= ENC_REG_VIEW_COUNTS; number++) {
        struct enc_scan scan;
        struct enc_row_found found;
        enc_scan_rows(&scan, snap, &(struct enc_row_range){.view = {row.ord, number}});
        while (enc_scan_row(&scan, &found))
            count++;
        cr_assert_eq(enc_scan_fini(&scan), ENC_ERR_OK);
    }
    enc_snap_close(snap);
    return count;
}

Test(registry, delete_of_the_newest_removes_and_nothing_comes_back)
{
    const char *path = rig_text(&rig, "/nodes/%s", key_of(OWNER));
    struct enc_event first = accept(OWNER, "Reg_Node", node_of(OWNER, "https://one.example"));
    struct enc_event second = accept(OWNER, "Reg_Node", node_of(OWNER, "https://two.example"));
    struct enc_event third = accept(OWNER, "Reg_Node", node_of(OWNER, "https://three.example"));
    delete_event(OWNER, &second);
    cr_assert_eq(json_u64(get(path), "registered_at"), third.timestamp_ms);
    delete_event(OWNER, &third);
    cr_assert(call_is(rig_get(&rig, path), 404, "NODE_NOT_FOUND"));
    check_nodes("", 0, OWNER, 0);
    cr_assert_eq(count_rows(), 0, "no index, no count, no event is left behind");
    delete_event(OWNER, &first);
    check_nodes("", 0, OWNER, 0);
    accept(OWNER, "Reg_Node", node_of(OWNER, "https://four.example"));
    check_nodes("", 1, OWNER, 1);
}

Test(registry, delete_is_for_the_author_and_of_all_three_types)
{
    struct enc_event name = accept(OWNER, "Reg_Identity", "{\"display_name\":\"A\"}");
    struct draft draft = draft_of(STRANGER, "Delete", "");
    draft.target32 = name.id32;
    cr_assert(call_is(rig_commit(&rig, &draft), 403, "UNAUTHORIZED"));
    delete_event(OWNER, &name);
    cr_assert(call_is(rig_get(&rig, rig_text(&rig, "/identities/%s", key_of(OWNER))), 404,
                      "IDENTITY_NOT_FOUND"));
    accept(OWNER, "Reg_Identity", "{\"display_name\":\"B\"}");
    const struct enc_json *row = get(rig_text(&rig, "/identities/%s", key_of(OWNER)));
    cr_assert(json_is(row, "display_name", "B"));
    cr_assert_eq(enc_json_get(row, "enclaves")->count, 0);
}

/* ---- resolve ---- */

static void check_uri(const char *enclave, const char *wanted)
{
    uint8_t enclave32[32];
    struct enc_snap *snap = NULL;
    struct enc_enclave_row row;
    struct enc_bytes uri;
    struct enc_store *store = enc_data_shard_at(rig.data, 0);
    const struct enc_json *text =
        rig_json(&rig, enc_bytes_of_text(rig_text(&rig, "\"%s\"", enclave)));
    cr_assert(enc_json_hex(text, enclave32, 32));
    cr_assert_eq(enc_snap_open(store, &snap), ENC_ERR_OK);
    cr_assert_eq(enc_snap_enclave(snap, &row, registry32()), ENC_ERR_OK);
    cr_assert_eq(enc_registry_resolve(&uri, &rig.arena, snap, row.ord, enclave32), ENC_ERR_OK);
    enc_snap_close(snap);
    cr_assert(enc_bytes_is(uri, wanted), "%.*s", (int)uri.len, (const char *)uri.data);
}

Test(registry, resolve_joins_enclave_and_node)
{
    const char *enclave = register_foreign(&(struct foreign){OWNER, OWNER, "1"}, OWNER);
    const char *path = rig_text(&rig, "/resolve/%s", enclave);
    const struct enc_json *both = get(path);
    cr_assert(json_is(enc_json_get(both, "enclave"), "enclave_id", enclave));
    cr_assert_eq(enc_json_get(both, "node")->kind, ENC_JSON_NULL);
    check_uri(enclave, "");
    accept(MEMBER, "Reg_Node", node_of(MEMBER, "https://n.example"));
    cr_assert(json_is(enc_json_get(get(path), "node"), "seq_pub", key_of(MEMBER)));
    check_uri(enclave, "https://n.example");
    check_uri(key_of(OWNER), "");
    const char *only_sockets =
        rig_text(&rig,
                 "{\"seq_pub\":\"%s\",\"endpoints\":[{\"uri\":\"wss://w.example\","
                 "\"priority\":0}],\"protocols\":[\"wss\"],\"enc_v\":1}",
                 key_of(MEMBER));
    accept(MEMBER, "Reg_Node", only_sockets);
    check_uri(enclave, "");
    cr_assert(call_is(rig_get(&rig, rig_text(&rig, "/resolve/%s", key_of(OWNER))), 404,
                      "ENCLAVE_NOT_FOUND"));
}

Test(registry, paths_are_as_they_must_be)
{
    static const char *const BAD[] = {"/nodes/xyz",     "/nodes/",     "/enclaves/12", "/resolve/z",
                                      "/identities/00", "/identity/q", "/health"};
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
        cr_assert(call_is(rig_get(&rig, BAD[i]), 404, "INVALID_ROUTE"), "%s", BAD[i]);
    cr_assert(call_is(rig_post(&rig, "/nodes", ENC_LIT("{}")), 405, "METHOD_NOT_ALLOWED"));
    cr_assert_eq(rig_get(&rig, rig_path(&rig, registry32(), "/nodes"))->status, 200);
    const char *other = rig_path(&rig, rig.keys[OWNER].pub32, "/nodes");
    cr_assert(call_is(rig_get(&rig, other), 404, "ENCLAVE_NOT_FOUND"));
}
