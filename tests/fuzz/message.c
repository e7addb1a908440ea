/* Messages of a WebSocket, through a whole host: text as it comes, and what only a key can make,
 * signed and sealed here. Each gets the answer that its kind has, and a commit is answered over
 * HTTP as it was over the socket. */
#include "services/host.h"

#include "tests/fuzz/feed.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/naive/tree.h"
#include "tests/fuzz/support/house.h"

enum { MESSAGES_MAX = 6, TEXT_LEN_MAX = 300, RUNS_PER_START = 40 };

static const char *const TYPES[] = {"Message", "Note", "Update", "Delete", "Grant", "Pause", "X"};

/* ---- what is sent ---- */

static struct enc_bytes text_of(struct feed *feed)
{
    struct enc_bytes rest = enc_bytes_of(feed->at, feed->left);
    const uint8_t *end = feed->left ? memchr(feed->at, 0, feed->left) : NULL;
    size_t len = end ? (size_t)(end - rest.data) : rest.len;
    struct enc_bytes text = feed_bytes(feed, len < TEXT_LEN_MAX ? len : TEXT_LEN_MAX);
    feed_bytes(feed, end != NULL);
    return text;
}

static const char *terminated(struct rig *rig, struct feed *feed)
{
    struct enc_bytes text = text_of(feed);
    return rig_text(rig, "%.*s", (int)text.len, text.len ? (const char *)text.data : "");
}

/* A signed commit; content as it comes, so it must be text. */
static struct enc_bytes commit_of(struct rig *rig, struct feed *feed)
{
    unsigned how = feed_u8(feed);
    struct draft draft = {(enum who)(how % WHO_COUNT),
                          house_enclave(),
                          TYPES[how / 4 % 7],
                          "{\"identity\":\"00\"}",
                          NULL,
                          0};
    if (how & 0x80)
        draft.target32 = house_event();
    return rig_body(rig, &draft);
}

/* ---- what came back ---- */

struct talk {
    struct rig *rig;
    struct enc_conn *conn;
    const struct got *seen; /* the last frame looked at */
    size_t count;
};

static bool is_known(struct enc_bytes text)
{
    static const char *const KINDS[] = {"Receipt", "Error", "Event", "EOSE", "Closed", "Notice"};
    for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++)
        if (house_says(text, KINDS[i], NULL))
            return true;
    return false;
}

static const struct got *next_of(const struct talk *talk)
{
    return talk->seen ? talk->seen->next : talk->conn->got;
}

/* Look at all that is new; the last of it. */
static struct enc_bytes listen(struct talk *talk)
{
    struct enc_bytes last = {NULL, 0};
    rig_settle(talk->rig);
    talk->count = 0;
    for (const struct got *got = next_of(talk); got; got = got->next) {
        last = enc_bytes_of(got->text, got->len);
        ENC_CHECK(is_known(last));
        talk->seen = got;
        talk->count++;
    }
    return last;
}

/* ---- what it must be ---- */

static void say_raw(struct talk *talk, struct enc_bytes text)
{
    const json_t *tree = tree_is_fair(text) ? tree_of(text, NULL) : NULL;
    bool is_request = tree && (json_object_get(tree, "exp") || json_object_get(tree, "type"));
    rig_frame(talk->conn, text);
    struct enc_bytes last = listen(talk);
    if (is_request || (!tree && text.len && !memchr(text.data, 0, text.len) &&
                       (memmem(text.data, text.len, "\\u", 2) ||
                        memmem(text.data, text.len, "-0", 2) || text.len > 18)))
        return; /* jansson cannot know of everything that is no JSON for it */
    ENC_CHECK(talk->count == 1 && house_says(last, "Error", "INVALID_REQUEST"));
}

static void say_commit(struct talk *talk, struct enc_bytes body)
{
    rig_frame(talk->conn, body);
    listen(talk);
    const struct enc_json *json = NULL;
    for (const struct got *got = talk->conn->got; got; got = got->next) {
        struct enc_bytes text = enc_bytes_of(got->text, got->len);
        if (house_says(text, "Receipt", NULL) || house_says(text, "Error", NULL))
            json = rig_json(talk->rig, text); /* the last of them answers */
    }
    ENC_CHECK(json != NULL);
    struct enc_call *call = rig_post(talk->rig, "/", body);
    bool is_taken = json_is(json, "type", "Receipt");
    const struct enc_json *again = rig_json(talk->rig, enc_bytes_of(call->body, call->len));
    struct enc_bytes code, other;
    ENC_CHECK(enc_json_text(enc_json_get(again, "code"), &other));
    ENC_CHECK(is_taken ? enc_bytes_is(other, "DUPLICATE")
                       : enc_json_text(enc_json_get(json, "code"), &code) &&
                             enc_bytes_equal(code, other));
    listen(talk);
}

static void say_binary(struct talk *talk, struct enc_bytes bytes)
{
    enc_host_socket_message(talk->conn->socket, bytes, true);
    struct enc_bytes last = listen(talk);
    ENC_CHECK(talk->count == 1 && house_says(last, "Notice", NULL));
}

static void subscribe(struct talk *talk, struct feed *feed)
{
    unsigned how = feed_u8(feed);
    const char *sub_id = how & 1 ? "a" : "b";
    if (how & 2) {
        rig_frame(talk->conn, rig_seal_frame(talk->rig, OWNER, house_enclave(), sub_id,
                                             terminated(talk->rig, feed))
                                  .body);
    } else {
        rig_subscribe(talk->conn, house_enclave(), sub_id, terminated(talk->rig, feed));
    }
    listen(talk);
    ENC_CHECK(talk->count > 0);
}

static void unsubscribe(struct talk *talk, struct feed *feed)
{
    const char *sub_id = feed_u8(feed) & 1 ? "a" : "b";
    rig_frame(talk->conn, enc_bytes_of_text(rig_text(
                              talk->rig, "{\"type\":\"Close\",\"sub_id\":\"%s\"}", sub_id)));
    struct enc_bytes last = listen(talk);
    ENC_CHECK(talk->count == 0 || house_says(last, "Closed", NULL));
}

static void say(struct talk *talk, struct feed *feed)
{
    switch (feed_pick(feed, 6)) {
    case 0:
        say_commit(talk, commit_of(talk->rig, feed));
        return;
    case 1:
        say_binary(talk, text_of(feed));
        return;
    case 2:
        subscribe(talk, feed);
        return;
    case 3:
        unsubscribe(talk, feed);
        return;
    default:
        say_raw(talk, text_of(feed));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static unsigned runs;
    struct feed feed = feed_of(data, len);
    struct talk talk = {.rig = house_open()};
    talk.conn = rig_connect(talk.rig, feed_u8(&feed) & 1 ? house_enclave() : NULL);
    for (unsigned i = 0; i < MESSAGES_MAX && feed.left > 0; i++)
        say(&talk, &feed);
    house_rest(++runs % RUNS_PER_START == 0);
    return 0;
}
