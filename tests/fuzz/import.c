/* Snapshots of an enclave that moves: encctl export writes one, an input changes some of it, encctl
 * import reads it into a data directory. What is imported exports to the events of the original, so
 * no change is ever taken for good. An input may sign as the sequencer that gives the enclave away. */
#include "net/encctl/ctl.h"
#include "net/encctl/export.h"
#include "store/engine.h"

#include "proto/base/hex.h"
#include "tests/fuzz/feed.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/support/house.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TEXT_LEN_MAX = 1 << 18, LINES_MAX = 64, CHANGES_MAX = 3 };

static struct enc_ctl ctl;
static char root[64], dir[96];
static uint8_t target_priv32[32];
static struct enc_key target;
static char original[TEXT_LEN_MAX];

/* ---- programs in this process ---- */

static int memory_file(void)
{
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    ENC_CHECK(fd >= 0);
    return fd;
}

/* The export of a directory, as text. */
static void export_text(char out[TEXT_LEN_MAX], const char *data_dir, const uint8_t enclave32[32])
{
    struct enc_args args = {.word_count = 0};
    args.values[ENC_OPTION_DATA] = data_dir;
    int kept = dup(STDOUT_FILENO), fd = memory_file();
    ENC_CHECK(kept >= 0 && dup2(fd, STDOUT_FILENO) >= 0);
    ENC_CHECK(enc_export_data(&ctl, &args, enclave32) == ENC_EXIT_OK);
    dup2(kept, STDOUT_FILENO);
    close(kept);
    ssize_t len = pread(fd, out, TEXT_LEN_MAX - 1, 0);
    ENC_CHECK(len > 0 && len < TEXT_LEN_MAX - 1);
    out[len] = '\0';
    close(fd);
}

static bool import_text(const char *text, size_t len)
{
    char path[32];
    struct enc_args args = {.word_count = 1, .words = {path}};
    int fd = memory_file();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    ENC_CHECK(pwrite(fd, text, len, 0) == (ssize_t)len);
    args.values[ENC_OPTION_DATA] = dir;
    enum enc_exit status = enc_command_import(&ctl, &args);
    ENC_CHECK(status == ENC_EXIT_OK || status == ENC_EXIT_REFUSED);
    close(fd);
    return status == ENC_EXIT_OK;
}

/* ---- what is there before the first input ---- */

static void write_key(const char *data_dir, const uint8_t priv32[32])
{
    char hex[64], path[128];
    snprintf(path, sizeof path, "%s/node.key", data_dir);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    enc_hex_encode(hex, enc_bytes_of(priv32, 32));
    ENC_CHECK(fd >= 0 && write(fd, hex, 64) == 64);
    close(fd);
}

/* An update, a deleted event, roles, a closed gate; then it goes to the target. */
static void move_away(struct rig *rig)
{
    const struct draft remove = {OWNER, house_enclave(), "Delete", "", house_event(), 0};
    rig_accept(rig, &remove);
    struct enc_call *call = rig_get(rig, rig_path(rig, house_enclave(), "/info/enclave"));
    const struct enc_json *info = rig_json(rig, enc_bytes_of(call->body, call->len));
    struct enc_bytes ct_root;
    ENC_CHECK(enc_json_text(enc_json_get(enc_json_get(info, "ct"), "r"), &ct_root));
    const char *content =
        rig_text(rig, "{\"new_sequencer\":\"%s\",\"prev_seq\":%llu,\"ct_root\":\"%.*s\"}",
                 rig_hex(rig, target.pub32, 32), (unsigned long long)json_u64(info, "seq"),
                 (int)ct_root.len, (const char *)ct_root.data);
    const struct draft migrate = {OWNER, house_enclave(), "Migrate", content, NULL, 0};
    rig_accept(rig, &migrate);
}

static void open_target(void)
{
    struct enc_data *data;
    struct enc_store_note note;
    snprintf(root, sizeof root, "%s/enc-fuzz-import-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    ENC_CHECK(mkdtemp(root) != NULL);
    snprintf(dir, sizeof dir, "%s/data", root);
    struct enc_data_config config = {.dir = dir, .node_pub32 = target.pub32, .map_len = 1 << 28};
    ENC_CHECK(enc_data_open(&data, &note, &config) == ENC_STORE_FAULT_NONE);
    enc_data_close(data);
    write_key(dir, target_priv32);
}

static void remove_target(void)
{
    char command[160];
    snprintf(command, sizeof command, "rm -rf '%s'", root);
    ENC_CHECK(system(command) == 0);
}

static void prepare(void)
{
    struct enc_args args = {.word_count = 0};
    struct rig *rig = house_open();
    memset(target_priv32, 0x17, 32);
    ENC_CHECK(enc_key_init(&target, fuzz_curve(), target_priv32));
    ENC_CHECK(enc_ctl_init(&ctl, &args));
    move_away(rig);
    write_key(rig->dir, rig->node_priv32);
    rig_stop(rig);
    open_target();
    atexit(remove_target);
    export_text(original, rig->dir, house_enclave());
    stderr = fopen("/dev/null", "we"); /* refusals are told there */
    stdout = fopen("/dev/null", "we");
    ENC_CHECK(stderr && stdout);
}

/* The next import finds nothing again. */
static void forget(void)
{
    MDB_txn *txn;
    struct enc_data *data;
    struct enc_store_note note;
    struct enc_data_config config = {.dir = dir, .node_pub32 = target.pub32};
    ENC_CHECK(enc_data_open(&data, &note, &config) == ENC_STORE_FAULT_NONE);
    const struct enc_store *store = enc_data_shard_at(data, 0);
    ENC_CHECK(mdb_txn_begin(store->env, NULL, 0, &txn) == 0);
    for (unsigned i = ENC_TABLE_META + 1; i < ENC_TABLE_COUNT; i++)
        if (enc_table_row((enum enc_table)i)->home == (enum enc_table)i)
            ENC_CHECK(mdb_drop(txn, store->tables[i], 0) == 0);
    ENC_CHECK(mdb_txn_commit(txn) == 0);
    enc_data_close(data);
}

/* ---- changes ---- */

struct lines {
    size_t count;
    struct enc_bytes lines[LINES_MAX];
};

static struct lines split(const char *text)
{
    struct lines out = {.count = 0};
    while (*text && out.count < LINES_MAX) {
        size_t len = strcspn(text, "\n");
        out.lines[out.count++] = enc_bytes_of(text, len);
        text += len + (text[len] == '\n');
    }
    return out;
}

/* A byte of the line, near its values; hex digits stay hex digits half of the time. */
static void change_byte(struct enc_bytes *line, struct enc_arena *arena, struct feed *feed)
{
    static const char DIGITS[] = "0123456789abcdefABCDEF";
    uint8_t *copy = (uint8_t *)(uintptr_t)enc_arena_copy(arena, *line).data;
    size_t at = ((size_t)feed_u8(feed) << 8 | feed_u8(feed)) % (line->len + 1);
    unsigned to = feed_u8(feed);
    if (at < line->len)
        copy[at] = to & 1 ? (uint8_t)DIGITS[to / 2 % 22] : (uint8_t)(to / 2);
    *line = enc_bytes_of(copy, line->len);
}

/* The event as it is, or a bit different, signed by the sequencer that gives the enclave away. */
static void forge(struct enc_bytes *line, struct enc_arena *arena, struct feed *feed)
{
    struct enc_event event;
    struct enc_buffer buffer;
    const struct rig *rig = house_open();
    const struct enc_json *json = fuzz_json(arena, *line);
    if (!json || enc_event_take(&event, arena, json) != ENC_ERR_OK)
        return;
    unsigned how = feed_u8(feed);
    event.timestamp_ms += how & 1 ? feed_u8(feed) : 0;
    event.seq += how & 2 ? (uint64_t)(feed_u8(feed) % 5) - 2 : 0;
    event.type_seq += how & 4 ? 1 : 0;
    event.commit.exp_ms += how & 8 ? 1 : 0;
    if (how & 16)
        event.commit.type = ENC_LIT("Note");
    if (how & 32)
        enc_commit_hash_fill(&event.commit);
    enc_event_finalise(&event, rig->curve, &rig->node);
    enc_buffer_init(&buffer, arena, 1 << 16);
    enc_event_put_json(&buffer, &event, event.is_erased);
    ENC_CHECK(enc_buffer_bytes(&buffer, line) == ENC_ERR_OK);
}

static void change(struct lines *text, struct enc_arena *arena, struct feed *feed)
{
    size_t at = feed_u8(feed) % text->count, other = feed_u8(feed) % text->count;
    struct enc_bytes kept = text->lines[at];
    switch (feed_pick(feed, 6)) {
    case 0: /* one less */
        memmove(text->lines + at, text->lines + at + 1,
                (text->count - at - 1) * sizeof *text->lines);
        text->count -= text->count > 1;
        return;
    case 1: /* one for another */
        text->lines[at] = text->lines[other];
        return;
    case 2:
        text->lines[at] = text->lines[other];
        text->lines[other] = kept;
        return;
    case 3:
        forge(&text->lines[at], arena, feed);
        return;
    case 4: /* what is behind is gone, or there is something */
        text->lines[text->count - 1] = feed_bytes(feed, 64);
        return;
    default:
        change_byte(&text->lines[at], arena, feed);
    }
}

static size_t join(char out[TEXT_LEN_MAX], const struct lines *text)
{
    size_t len = 0;
    for (size_t i = 0; i < text->count; i++) {
        ENC_CHECK(len + text->lines[i].len + 1 < TEXT_LEN_MAX);
        memcpy(out + len, text->lines[i].data, text->lines[i].len);
        len += text->lines[i].len;
        out[len++] = '\n';
    }
    return len;
}

/* All but the first and the last line, which the new node signs. */
static void compare(void)
{
    static char again[TEXT_LEN_MAX];
    export_text(again, dir, house_enclave());
    struct lines ours = split(again), theirs = split(original);
    ENC_CHECK(ours.count == theirs.count);
    for (size_t i = 1; i + 1 < ours.count; i++)
        ENC_CHECK(enc_bytes_equal(ours.lines[i], theirs.lines[i]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static char text[TEXT_LEN_MAX];
    struct enc_arena arena;
    struct feed feed = feed_of(data, len);
    if (!original[0])
        prepare();
    fuzz_arena(&arena, 0);
    struct lines lines = split(original);
    unsigned changes = feed_pick(&feed, CHANGES_MAX + 1);
    for (unsigned i = 0; i < changes; i++)
        change(&lines, &arena, &feed);
    bool is_taken = import_text(text, join(text, &lines));
    ENC_CHECK(is_taken || changes > 0);
    if (is_taken) {
        compare();
        forget();
    }
    enc_arena_fini(&ctl.arena);
    return 0;
}
