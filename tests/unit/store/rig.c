#include "tests/unit/store/rig.h"
#include "proto/base/hex.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ARENA_MAX = 64 << 20 };

static struct enc_chunk *take_chunk(void *self, size_t len)
{
    (void)self;
    struct enc_chunk *chunk = (struct enc_chunk *)malloc(len);
    if (chunk)
        chunk->len = len;
    return chunk;
}

static void give_chunks(void *self, struct enc_chunk *list)
{
    (void)self;
    while (list) {
        struct enc_chunk *next = list->next;
        free(list);
        list = next;
    }
}

static const struct enc_chunk_source HEAP = {take_chunk, give_chunks, NULL};

static int remove_one(const char *path, const struct stat *facts, int kind, struct FTW *where)
{
    (void)facts;
    (void)kind;
    (void)where;
    return remove(path);
}

static void remove_root(const char *root)
{
    cr_assert_eq(nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

void rig_init(struct rig *rig)
{
    memset(rig, 0, sizeof *rig);
    snprintf(rig->root, sizeof rig->root, "%s/enc-store-XXXXXX", P_tmpdir);
    cr_assert_not_null(mkdtemp(rig->root));
    snprintf(rig->dir, sizeof rig->dir, "%s/data", rig->root);
    memset(rig->node32, 0x5e, sizeof rig->node32);
    rig->config = (struct enc_data_config){
        .dir = rig->dir, .node_pub32 = rig->node32, .map_len = (uint64_t)256 << 20, .sync = true};
    enc_arena_init(&rig->arena, &HEAP, ARENA_MAX);
}

enum enc_store_fault rig_try(struct rig *rig)
{
    enum enc_store_fault fault = enc_data_open(&rig->data, &rig->note, &rig->config);
    rig->store = fault ? NULL : enc_data_shard_at(rig->data, 0);
    return fault;
}

void rig_open(struct rig *rig)
{
    enum enc_store_fault fault = rig_try(rig);
    cr_assert_eq(fault, ENC_STORE_FAULT_NONE, "%s", rig->note.text);
}

void rig_close(struct rig *rig)
{
    enc_snap_close(rig->snap);
    enc_data_close(rig->data);
    rig->snap = NULL;
    rig->data = NULL;
    rig->store = NULL;
}

void rig_fini(struct rig *rig)
{
    rig_close(rig);
    enc_arena_fini(&rig->arena);
    remove_root(rig->root);
}

void rig_begin(struct rig *rig)
{
    enc_arena_fini(&rig->arena);
    enc_writeset_init(&rig->set, &rig->arena);
}

enum enc_outcome rig_try_apply(struct rig *rig)
{
    const struct enc_writeset *const sets[] = {&rig->set};
    cr_assert(enc_writeset_ok(&rig->set));
    return enc_store_apply(rig->store, &rig->facts, sets, 1);
}

void rig_apply(struct rig *rig)
{
    cr_assert_eq(rig_try_apply(rig), ENC_OUTCOME_OK, "%s",
                 enc_store_error_text(rig->facts.engine_error));
}

struct enc_snap *rig_look(struct rig *rig)
{
    enc_snap_close(rig->snap);
    rig_ok(enc_snap_open(rig->store, &rig->snap));
    return rig->snap;
}

const uint8_t *rig_id(char kind, uint64_t ord, uint64_t number)
{
    static uint8_t ids[8][32];
    static unsigned next;
    uint8_t *id = ids[next++ % 8];
    memset(id, kind, 32);
    enc_be64_put(id, (ord * 0x9e3779b97f4a7c15u + number) * 0xd6e8feb86659fd93u);
    enc_be64_put(id + 8, ord);
    enc_be64_put(id + 16, number);
    return id;
}

void rig_put_enclave(struct rig *rig, uint64_t ord)
{
    const struct enc_enclave_row row = {
        .ord = ord, .created_ms = 1750000000000 + ord, .service = 1};
    enc_put_enclave(&rig->set, rig_id('e', ord, 0), &row);
    enc_put_head(&rig->set, ord, ENC_LIT("head"));
}

void rig_put_events(struct rig *rig, uint64_t ord, uint64_t seq, uint64_t count)
{
    for (uint64_t i = seq; i < seq + count; i++) {
        char text[48];
        snprintf(text, sizeof text, "event %llu of %llu", (unsigned long long)i,
                 (unsigned long long)ord);
        struct enc_event_row row = {.ord = ord,
                                    .seq = i,
                                    .type_seq = i + 1,
                                    .id32 = rig_id('i', ord, i),
                                    .hash32 = rig_id('h', ord, i),
                                    .exp_ms = 1000 + i,
                                    .type = ENC_LIT("Post"),
                                    .record = enc_arena_copy(&rig->arena, enc_bytes_of_text(text))};
        enc_put_event(&rig->set, &row);
    }
}

const char *rig_path(const struct rig *rig, const char *file)
{
    static char paths[4][128];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", rig->dir, file);
    return path;
}

void rig_write(const struct rig *rig, const char *file, const char *text)
{
    FILE *out = fopen(rig_path(rig, file), "w");
    cr_assert_not_null(out);
    cr_assert_geq(fputs(text, out), 0);
    cr_assert_eq(fclose(out), 0);
}

static void complain(void *opaque, const struct enc_store_flaw *flaw)
{
    (void)opaque;
    char key[2 * ENC_ROW_KEY_LEN_MAX + 1] = "";
    enc_hex_encode(key, flaw->key);
    fprintf(stderr, "%s %s %s\n", enc_table_row(flaw->table)->name, key, flaw->what);
}

void rig_check_sound(struct rig *rig)
{
    uint64_t flaw_count = 1;
    rig_ok(enc_store_verify(rig_look(rig), &flaw_count, complain, NULL));
    cr_assert_eq(flaw_count, 0);
}

pid_t rig_fork(void)
{
    pid_t parent = getpid();
    pid_t child = fork();
    cr_assert_geq(child, 0);
    if (child == 0 && (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent))
        _exit(9);
    return child;
}

void rig_must_abort(void (*mistake)(void))
{
    int status = 0;
    pid_t child = rig_fork();
    if (child == 0) {
        mistake();
        _exit(0);
    }
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}
