/* From the timeline's events to its rows (protocol.md 11.5). What other nodes push in goes the same
 * way, except that it says nothing about whom the owner follows and who owns this enclave. */
#include "proto/json.h"
#include "services/timeline_rules.h"

static struct enc_bytes key_32(const uint8_t in32[32])
{
    return enc_bytes_of(in32, 32);
}

static struct enc_bytes place_key(const struct enc_place *place)
{
    return enc_bytes_of(place->key40, sizeof place->key40);
}

/* Two keys of fixed length one behind the other; the longest is that of an author's post. */
struct pair {
    uint8_t bytes[32 + 32 + 8];
    size_t len;
};

static struct pair pair_of(struct enc_bytes first, struct enc_bytes second)
{
    struct pair pair;
    ENC_CHECK(first.len + second.len <= sizeof pair.bytes);
    memcpy(pair.bytes, first.data, first.len);
    memcpy(pair.bytes + first.len, second.data, second.len);
    pair.len = first.len + second.len;
    return pair;
}

static struct enc_bytes pair_key(const struct pair *pair)
{
    return enc_bytes_of(pair->bytes, pair->len);
}

static bool is_own(const struct enc_fact *fact)
{
    return memcmp(fact->commit->enclave32, fact->own32, 32) == 0;
}

static struct enc_place place_of(const struct enc_fact *fact)
{
    return enc_place_of(fact->commit->enclave32, fact->event->seq);
}

/* ---- origins ---- */

static enum enc_err put_origin(struct enc_rows *rows, const struct enc_fact *fact,
                               enum enc_origin_kind kind, const uint8_t *ref32)
{
    struct enc_buffer buffer;
    struct enc_bytes value;
    struct enc_origin origin = {.kind = kind, .place = place_of(fact)};
    memcpy(origin.from32, fact->commit->from32, 32);
    if (ref32)
        memcpy(origin.ref32, ref32, 32);
    enc_buffer_init(&buffer, fact->arena, SIZE_MAX / 4);
    enc_origin_put(&buffer, &origin);
    ENC_TRY(enc_buffer_bytes(&buffer, &value));
    return enc_rows_put(rows, ENC_TIMELINE_ORIGIN, key_32(fact->event->id32), value);
}

/* What the target of an Update or Delete has made. An enclave has a say in its own events only. */
static enum enc_err find_target(const struct enc_rows *rows, bool *found, struct enc_origin *origin,
                                const struct enc_fact *fact)
{
    struct enc_bytes value;
    ENC_TRY(enc_rows_get(rows, found, &value, ENC_TIMELINE_ORIGIN, key_32(fact->target32)));
    if (!*found)
        return ENC_ERR_OK;
    if (!enc_origin_take(origin, value))
        return ENC_ERR_INTERNAL;
    *found = memcmp(origin->place.key40, fact->commit->enclave32, 32) == 0;
    return ENC_ERR_OK;
}

/* ---- posts ---- */

static struct pair author_key(const struct enc_place *place, const uint8_t from32[32])
{
    struct pair head = pair_of(enc_bytes_of(place->key40, 32), key_32(from32));
    return pair_of(pair_key(&head), enc_bytes_of(place->key40 + 32, 8));
}

static struct pair feed_key(const struct enc_post *post)
{
    uint8_t ms8[8];
    enc_be64_put(ms8, post->timestamp_ms);
    return pair_of(enc_bytes_of(ms8, 8), key_32(post->id32));
}

/* Its text is a document of the search, under a number that the row keeps. */
static enum enc_err save_post(struct enc_rows *rows, struct enc_arena *arena,
                              const struct enc_place *place, struct enc_post *post)
{
    struct enc_buffer buffer;
    struct enc_bytes value;
    const struct enc_document document = {.name = place_key(place), .text = post->text};
    ENC_TRY(enc_search_add(rows, &post->document, arena, ENC_TIMELINE_FIND_POST, &document));
    enc_buffer_init(&buffer, arena, SIZE_MAX / 4);
    enc_post_put(&buffer, post);
    ENC_TRY(enc_buffer_bytes(&buffer, &value));
    return enc_rows_put(rows, ENC_TIMELINE_POST, place_key(place), value);
}

static enum enc_err load_post(const struct enc_rows *rows, struct enc_post *post,
                              const struct enc_place *place)
{
    bool found = false;
    struct enc_bytes value;
    ENC_TRY(enc_rows_get(rows, &found, &value, ENC_TIMELINE_POST, place_key(place)));
    return found && enc_post_take(post, value) ? ENC_ERR_OK : ENC_ERR_INTERNAL;
}

static enum enc_err map_post(struct enc_rows *rows, const struct enc_fact *fact)
{
    const struct enc_bytes nothing = {NULL, 0};
    struct enc_place place = place_of(fact);
    struct enc_post post = {.timestamp_ms = fact->event->timestamp_ms};
    memcpy(post.id32, fact->event->id32, 32);
    memcpy(post.from32, fact->commit->from32, 32);
    ENC_TRY(enc_post_read(&post.text, fact->content));
    struct pair author = author_key(&place, post.from32);
    struct pair feed = feed_key(&post);
    ENC_TRY(save_post(rows, fact->arena, &place, &post));
    ENC_TRY(enc_rows_put(rows, ENC_TIMELINE_AUTHOR, pair_key(&author), nothing));
    ENC_TRY(enc_rows_put(rows, ENC_TIMELINE_FEED, pair_key(&feed), place_key(&place)));
    ENC_TRY(put_origin(rows, fact, ENC_ORIGIN_POST, NULL));
    return enc_rows_count(rows, ENC_TIMELINE_COUNT, ENC_TIMELINE_COUNT_POSTS, 1);
}

/* An Update that is no Post leaves the post as it was: only what is pushed in can be one. */
static enum enc_err update_post(struct enc_rows *rows, const struct enc_fact *fact,
                                const struct enc_place *place)
{
    struct enc_post post;
    struct enc_bytes text;
    if (enc_post_read(&text, fact->content) != ENC_ERR_OK)
        return ENC_ERR_OK;
    ENC_TRY(load_post(rows, &post, place));
    ENC_TRY(enc_search_drop(rows, ENC_TIMELINE_FIND_POST, post.document));
    post.text = text;
    return save_post(rows, fact->arena, place, &post);
}

static enum enc_err remove_post(struct enc_rows *rows, const struct enc_place *place)
{
    struct enc_post post;
    ENC_TRY(load_post(rows, &post, place));
    struct pair author = author_key(place, post.from32);
    struct pair feed = feed_key(&post);
    ENC_TRY(enc_search_drop(rows, ENC_TIMELINE_FIND_POST, post.document));
    ENC_TRY(enc_rows_del(rows, ENC_TIMELINE_AUTHOR, pair_key(&author)));
    ENC_TRY(enc_rows_del(rows, ENC_TIMELINE_FEED, pair_key(&feed)));
    ENC_TRY(enc_rows_del(rows, ENC_TIMELINE_ORIGIN, key_32(post.id32)));
    ENC_TRY(enc_rows_del(rows, ENC_TIMELINE_POST, place_key(place)));
    return enc_rows_count(rows, ENC_TIMELINE_COUNT, ENC_TIMELINE_COUNT_POSTS, -1);
}

/* ---- likes: one for each author and event ---- */

static enum enc_err map_like(struct enc_rows *rows, const struct enc_fact *fact)
{
    bool found = false;
    struct enc_bytes value;
    uint8_t ref32[32];
    struct enc_place place = place_of(fact);
    ENC_TRY(enc_ref_read(ref32, fact->content));
    struct pair of = pair_of(key_32(ref32), key_32(fact->commit->from32));
    struct pair like = pair_of(key_32(ref32), place_key(&place));
    struct pair who = pair_of(key_32(fact->commit->from32), key_32(fact->event->id32));
    ENC_TRY(enc_rows_get(rows, &found, &value, ENC_TIMELINE_LIKE_OF, pair_key(&of)));
    if (found)
        return ENC_ERR_OK;
    ENC_TRY(enc_rows_put(rows, ENC_TIMELINE_LIKE_OF, pair_key(&of), place_key(&place)));
    ENC_TRY(enc_rows_put(rows, ENC_TIMELINE_LIKE, pair_key(&like), pair_key(&who)));
    ENC_TRY(put_origin(rows, fact, ENC_ORIGIN_LIKE, ref32));
    return enc_rows_count(rows, ENC_TIMELINE_LIKE_COUNT, key_32(ref32), 1);
}

static enum enc_err remove_like(struct enc_rows *rows, const uint8_t ref32[32],
                                const uint8_t from32[32])
{
    bool found = false;
    struct enc_bytes place;
    struct enc_bytes who;
    struct pair of = pair_of(key_32(ref32), key_32(from32));
    ENC_TRY(enc_rows_get(rows, &found, &place, ENC_TIMELINE_LIKE_OF, pair_key(&of)));
    if (!found)
        return ENC_ERR_OK;
    if (place.len != ENC_TIMELINE_PLACE_LEN)
        return ENC_ERR_INTERNAL;
    struct pair like = pair_of(key_32(ref32), place);
    ENC_TRY(enc_rows_get(rows, &found, &who, ENC_TIMELINE_LIKE, pair_key(&like)));
    if (!found || who.len != 64)
        return ENC_ERR_INTERNAL;
    ENC_TRY(enc_rows_del(rows, ENC_TIMELINE_ORIGIN, key_32(who.data + 32)));
    ENC_TRY(enc_rows_del(rows, ENC_TIMELINE_LIKE, pair_key(&like)));
    ENC_TRY(enc_rows_del(rows, ENC_TIMELINE_LIKE_OF, pair_key(&of)));
    return enc_rows_count(rows, ENC_TIMELINE_LIKE_COUNT, key_32(ref32), -1);
}

static enum enc_err map_unlike(struct enc_rows *rows, const struct enc_fact *fact)
{
    uint8_t ref32[32];
    ENC_TRY(enc_ref_read(ref32, fact->content));
    return remove_like(rows, ref32, fact->commit->from32);
}

/* ---- profiles: the newest of each author ---- */

static enum enc_err find_profile(const struct enc_rows *rows, bool *found,
                                 struct enc_profile *profile, const uint8_t from32[32])
{
    struct enc_bytes value;
    ENC_TRY(enc_rows_get(rows, found, &value, ENC_TIMELINE_PROFILE, key_32(from32)));
    return !*found || enc_profile_take(profile, value) ? ENC_ERR_OK : ENC_ERR_INTERNAL;
}

/* The name and, on a line of its own, the bio are one document. */
static enum enc_err add_to_search(struct enc_rows *rows, struct enc_arena *arena,
                                  struct enc_profile *profile, const uint8_t from32[32])
{
    struct enc_buffer buffer;
    struct enc_document document = {.name = key_32(from32)};
    enc_buffer_init(&buffer, arena, SIZE_MAX / 4);
    enc_buffer_add(&buffer, profile->persona.display_name.bytes);
    enc_buffer_add(&buffer, ENC_LIT("\n"));
    enc_buffer_add(&buffer, profile->persona.bio.bytes);
    ENC_TRY(enc_buffer_bytes(&buffer, &document.text));
    return enc_search_add(rows, &profile->document, arena, ENC_TIMELINE_FIND_PROFILE, &document);
}

static enum enc_err save_profile(struct enc_rows *rows, const struct enc_fact *fact,
                                 struct enc_profile *profile, const uint8_t from32[32])
{
    struct enc_buffer buffer;
    struct enc_bytes value;
    ENC_TRY(add_to_search(rows, fact->arena, profile, from32));
    enc_buffer_init(&buffer, fact->arena, SIZE_MAX / 4);
    enc_profile_put(&buffer, profile);
    ENC_TRY(enc_buffer_bytes(&buffer, &value));
    return enc_rows_put(rows, ENC_TIMELINE_PROFILE, key_32(from32), value);
}

static enum enc_err remove_profile(struct enc_rows *rows, const uint8_t from32[32])
{
    bool found = false;
    struct enc_profile profile;
    ENC_TRY(find_profile(rows, &found, &profile, from32));
    if (!found)
        return ENC_ERR_OK;
    ENC_TRY(enc_search_drop(rows, ENC_TIMELINE_FIND_PROFILE, profile.document));
    ENC_TRY(enc_rows_del(rows, ENC_TIMELINE_ORIGIN, key_32(profile.id32)));
    return enc_rows_del(rows, ENC_TIMELINE_PROFILE, key_32(from32));
}

static enum enc_err map_profile(struct enc_rows *rows, const struct enc_fact *fact)
{
    struct enc_profile profile;
    memcpy(profile.id32, fact->event->id32, 32);
    ENC_TRY(enc_profile_read(&profile, fact->content));
    ENC_TRY(remove_profile(rows, fact->commit->from32));
    ENC_TRY(save_profile(rows, fact, &profile, fact->commit->from32));
    return put_origin(rows, fact, ENC_ORIGIN_PROFILE, NULL);
}

/* Nobody has judged whether this Update is a Profile (16.83): one that is not changes nothing. */
static enum enc_err update_profile(struct enc_rows *rows, const struct enc_fact *fact,
                                   const uint8_t from32[32])
{
    bool found = false;
    struct enc_profile old;
    struct enc_profile profile;
    if (enc_profile_read(&profile, fact->content) != ENC_ERR_OK)
        return ENC_ERR_OK;
    ENC_TRY(find_profile(rows, &found, &old, from32));
    if (!found)
        return ENC_ERR_INTERNAL;
    memcpy(profile.id32, old.id32, 32);
    ENC_TRY(enc_search_drop(rows, ENC_TIMELINE_FIND_PROFILE, old.document));
    return save_profile(rows, fact, &profile, from32);
}

/* ---- follows ---- */

static enum enc_err map_follow(struct enc_rows *rows, const struct enc_fact *fact)
{
    uint8_t enclave32[32];
    uint8_t value[32 + ENC_FOLLOW_URI_LEN_MAX];
    struct enc_followed followed;
    if (!is_own(fact))
        return ENC_ERR_OK;
    ENC_TRY(enc_follow_read(enclave32, &followed, fact->content));
    memcpy(value, followed.pub32, 32);
    if (followed.uri.len)
        memcpy(value + 32, followed.uri.data, followed.uri.len);
    return enc_rows_put(rows, ENC_TIMELINE_FOLLOW, key_32(enclave32),
                        enc_bytes_of(value, 32 + followed.uri.len));
}

static enum enc_err map_unfollow(struct enc_rows *rows, const struct enc_fact *fact)
{
    uint8_t enclave32[32];
    struct enc_followed followed;
    if (!is_own(fact))
        return ENC_ERR_OK;
    ENC_TRY(enc_follow_read(enclave32, &followed, fact->content));
    return enc_rows_del(rows, ENC_TIMELINE_FOLLOW, key_32(enclave32));
}

static enum enc_err follows(const struct enc_rows *rows, const uint8_t own32[32],
                            const uint8_t enclave32[32], bool *is_followed, uint8_t pub32[32])
{
    struct enc_followed followed;
    (void)own32;
    ENC_TRY(enc_timeline_followed(rows, is_followed, &followed, enclave32));
    if (*is_followed)
        memcpy(pub32, followed.pub32, 32);
    return ENC_ERR_OK;
}

static enum enc_err locate(struct enc_bytes *uri, struct enc_arena *arena, struct enc_snap *snap,
                           uint64_t ord, const uint8_t enclave32[32])
{
    struct enc_rows rows;
    bool found = false;
    struct enc_followed followed;
    enc_rows_init(&rows, arena, snap, NULL, ord);
    ENC_TRY(enc_timeline_followed(&rows, &found, &followed, enclave32));
    *uri = found ? followed.uri : (struct enc_bytes){NULL, 0};
    return ENC_ERR_OK;
}

/* ---- whose enclave it is: what _bootstrap looks for ---- */

static enum enc_err put_owner(struct enc_rows *rows, const struct enc_fact *fact,
                              const uint8_t owner32[32])
{
    struct pair key = pair_of(key_32(owner32), key_32(fact->own32));
    return enc_rows_put_shared(rows, ENC_SHARED_OWNER, pair_key(&key), (struct enc_bytes){NULL, 0});
}

/* A stranger's Manifest makes nobody an owner who does not know of it. */
static bool is_made_for(const struct enc_event *event, const uint8_t owner32[32])
{
    return memcmp(event->commit.from32, owner32, 32) == 0 ||
           memcmp(event->commit.from32, event->sequencer32, 32) == 0;
}

static enum enc_err map_manifest(struct enc_rows *rows, const struct enc_fact *fact)
{
    uint8_t owner32[32];
    const struct enc_json *initial =
        enc_json_get(enc_json_get(fact->content, "RBAC"), "initial_state");
    const struct enc_json *list = enc_json_get(initial, "Owner");
    for (const struct enc_json *at = list && is_own(fact) ? list->child : NULL; at; at = at->next)
        if (enc_json_hex(at, owner32, 32) && is_made_for(fact->event, owner32))
            ENC_TRY(put_owner(rows, fact, owner32));
    return ENC_ERR_OK;
}

static enum enc_err map_transfer(struct enc_rows *rows, const struct enc_fact *fact)
{
    uint8_t owner32[32];
    bool is_named = enc_json_hex(enc_json_get(fact->content, "new_owner"), owner32, 32);
    return is_own(fact) && is_named ? put_owner(rows, fact, owner32) : ENC_ERR_OK;
}

/* ---- the view ---- */

static enum enc_err update(struct enc_rows *rows, const struct enc_fact *fact)
{
    bool found = false;
    struct enc_origin origin;
    ENC_TRY(find_target(rows, &found, &origin, fact));
    if (found && origin.kind == ENC_ORIGIN_POST)
        return update_post(rows, fact, &origin.place);
    if (found && origin.kind == ENC_ORIGIN_PROFILE)
        return update_profile(rows, fact, origin.from32);
    return ENC_ERR_OK;
}

static enum enc_err remove_target(struct enc_rows *rows, const struct enc_fact *fact)
{
    bool found = false;
    struct enc_origin origin;
    ENC_TRY(find_target(rows, &found, &origin, fact));
    if (!found)
        return ENC_ERR_OK;
    switch (origin.kind) {
    case ENC_ORIGIN_POST:
        return remove_post(rows, &origin.place);
    case ENC_ORIGIN_LIKE:
        return remove_like(rows, origin.ref32, origin.from32);
    default:
        return remove_profile(rows, origin.from32);
    }
}

static const struct enc_mapper MAPPERS[] = {
    {"Post", enc_rule_post, true, map_post},
    {"Profile", enc_rule_profile, false, map_profile},
    {"Like", enc_rule_ref, false, map_like},
    {"Unlike", enc_rule_ref, false, map_unlike},
    {"Follow", enc_rule_follow, false, map_follow},
    {"Unfollow", enc_rule_follow, false, map_unfollow},
    {"Manifest", NULL, false, map_manifest},
    {"Transfer_Owner", NULL, false, map_transfer},
};

const struct enc_dataview ENC_TIMELINE_VIEW = {
    .mappers = MAPPERS,
    .mapper_count = sizeof MAPPERS / sizeof MAPPERS[0],
    .update = update,
    .remove = remove_target,
    .follows = follows,
    .locate = locate,
};
