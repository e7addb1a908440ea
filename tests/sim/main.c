/**
 * Simulation of the whole server above the sockets. A seed is a world: `--seed N` runs it, `--seeds
 * A..B` all of them, each in a process of its own; `--twice N` runs one twice and compares. The
 * first line that differs from the model is printed with its seed.
 */
#include "tests/sim/disk.h"
#include "tests/sim/world.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Each eighth world is a long one. */
enum { ACTIONS = 70, ACTIONS_LONG = 400, LONG_EVERY = 8, SECONDS_MAX = 300 };

static bool is_telling; /* --tell: what happened in each world */

/* ---- one world ---- */

static void toggle_queue(struct world *w)
{
    struct queue *q = &w->queues[w_pick(w, (uint64_t)w->queue_count)];
    q->is_down = !q->is_down;
}

static void touch_socket(struct world *w)
{
    int index = (int)w_pick(w, W_CONNS_MAX);
    struct enc_conn *conn = w->conns[index];
    if (!conn)
        w_socket_open(w, index);
    else if (conn->socket && w_pick(w, 4) == 0)
        w_socket_close(w, index);
    else
        conn->is_slow = !conn->is_slow;
}

static void say_nonsense(struct world *w)
{
    static const struct {
        const char *body, *code;
    } ROWS[] = {
        {"{", "INVALID_REQUEST"},
        {"", "INVALID_REQUEST"},
        {"{}", "INVALID_REQUEST"},
        {"{\"exp\":1,\"exp\":1}", "INVALID_REQUEST"},
        {"{\"exp\":1}", "INVALID_COMMIT"},
        {"\xff", "INVALID_REQUEST"},
        {"{\"type\":\"Query\",\"enclave\":7,\"content\":{}}", "INVALID_QUERY"},
    };
    uint64_t row = w_pick(w, sizeof ROWS / sizeof ROWS[0]);
    struct enc_conn *conn = w->conns[w_pick(w, W_CONNS_MAX)];
    struct enc_call about = {.wanted = ROWS[row].code};
    struct enc_bytes body = enc_bytes_of_text(ROWS[row].body);
    if (conn && conn->socket)
        enc_host_socket_message(conn->socket, body, w_pick(w, 4) == 0);
    else
        w_http(w, "enc-node", "/", body, about);
}

static void jump(struct world *w)
{
    static const int64_t JUMPS_MS[] = {1, 40, 1000, 5000, 61000, 400000, -500, -30000};
    w_jump(w, JUMPS_MS[w_pick(w, sizeof JUMPS_MS / sizeof JUMPS_MS[0])]);
}

/* Timers ring on an ill disk as well. */
static void hurt(struct world *w)
{
    enum disk_fault fault = (enum disk_fault)(1 + w_pick(w, DISK_FAULT_COUNT - 1));
    if (w_pick(w, 2))
        disk_cut_after(1 + (uint32_t)w_pick(w, 40));
    else if (fault != DISK_FAULT_META || w_pick(w, 4) == 0)
        disk_arm(fault, 1 + (uint32_t)w_pick(w, 2));
    else
        w_crash(w, w_pick(w, 2));
    if (w_pick(w, 3) == 0)
        w_sleep(w, 1 + w_pick(w, 2000));
}

static void act(struct world *w)
{
    uint64_t pick = w_pick(w, 100);
    if (pick < 58)
        w_commit(w);
    else if (pick < 72)
        w_read(w);
    else if (pick < 80)
        w_subscribe(w);
    else if (pick < 85)
        touch_socket(w);
    else if (pick < 88)
        jump(w);
    else if (pick < 90)
        toggle_queue(w);
    else if (pick < 93)
        say_nonsense(w);
    else if (pick < 95)
        disk_arm(DISK_FAULT_FULL, 0);
    else if (pick < 98)
        hurt(w);
    else
        w_sleep(w, 1 + w_pick(w, 3000));
}

static void check_all(struct world *w, bool is_settled)
{
    w_check_store(w, is_settled);
    for (int i = 0; i < w->model.enclave_count; i++)
        w_must(w, !w->model.enclaves[i]->queue, "somebody was never answered");
    w_check_reads(w);
    w_must(w, !w->reads, "a read is not judged");
    w_check_subs(w, is_settled);
    w_check_pushes(w, is_settled);
}

/* Everybody is well again and has time. */
static void heal(struct world *w)
{
    for (int fault = 0; fault < DISK_FAULT_COUNT; fault++)
        disk_arm((enum disk_fault)fault, 0);
    disk_cut_after(0);
    if (disk_is_cut() || enc_host_store_failed(w->host))
        w_crash(w, true);
    for (int i = 0; i < W_CONNS_MAX; i++)
        if (w->conns[i])
            w->conns[i]->is_slow = false;
    for (int i = 0; i < w->queue_count; i++)
        w->queues[i].is_down = false;
    w_sleep(w, 1000000);
}

static void live(struct world *w)
{
    int actions = w->seed % LONG_EVERY ? ACTIONS : ACTIONS_LONG;
    w_found(w);
    w_socket_open(w, 0);
    for (int i = 0; i < actions; i++) {
        act(w);
        for (uint64_t steps = w_pick(w, 24); steps > 0; steps--)
            w_step(w);
        w_check_reads(w);
    }
    heal(w);
    check_all(w, true);
    w_restart(w);
    w_sleep(w, 1000);
    check_all(w, true);
}

static void tell(const struct world *w)
{
    int events = 0;
    for (int i = 0; i < w->model.enclave_count; i++)
        events += w->model.enclaves[i]->count;
    printf("seed %llu: %d events, %llu answers, %llu crashes (%llu of power), %llu disk faults, "
           "%d payloads, %d shown, %llu steps\n",
           (unsigned long long)w->seed, events, (unsigned long long)w->answers,
           (unsigned long long)w->crashes, (unsigned long long)w->cuts,
           (unsigned long long)disk_faults_met(), w->payload_count, w->shown_count,
           (unsigned long long)enc_sim_steps(w->sim));
}

static uint64_t run(uint64_t seed, const char *root)
{
    static struct world w;
    w_open(&w, seed, root);
    live(&w);
    uint64_t digest = w.digest ^ enc_sim_trace(w.sim);
    if (is_telling)
        tell(&w);
    w_close(&w);
    return digest;
}

/* ---- each in a process of its own ---- */

static int remove_one(const char *path, const struct stat *facts, int kind, struct FTW *where)
{
    (void)facts;
    (void)kind;
    (void)where;
    return remove(path);
}

static void make_root(char root[64])
{
    bool has_memory = access("/dev/shm", W_OK) == 0;
    snprintf(root, 64, "%s/enc-sim-XXXXXX", has_memory ? "/dev/shm" : "/tmp");
    if (!mkdtemp(root))
        abort();
}

static void be_child(uint64_t seed, const char *root, int out)
{
    alarm(SECONDS_MAX);
    uint64_t digest = run(seed, root);
    if (write(out, &digest, sizeof digest) != sizeof digest)
        _exit(3);
    fflush(stdout);
    _exit(0);
}

static bool run_seed(uint64_t seed, uint64_t *digest)
{
    char root[64];
    int ends[2], status = 0;
    make_root(root);
    fflush(stdout);
    if (pipe(ends) != 0)
        abort();
    pid_t child = fork();
    if (child == 0)
        be_child(seed, root, ends[1]);
    close(ends[1]);
    bool is_good = child > 0 && read(ends[0], digest, sizeof *digest) == sizeof *digest;
    close(ends[0]);
    waitpid(child, &status, 0);
    nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    if (WIFSIGNALED(status))
        printf("seed %llu: the process ended with signal %d\n", (unsigned long long)seed,
               WTERMSIG(status));
    return is_good && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static unsigned run_seeds(uint64_t first, uint64_t last, bool all)
{
    unsigned bad = 0;
    uint64_t digest = 0;
    for (uint64_t seed = first; seed <= last && (all || !bad); seed++)
        bad += !run_seed(seed, &digest);
    return bad;
}

static bool run_twice(uint64_t seed)
{
    uint64_t first = 0, second = 1;
    bool is_same = run_seed(seed, &first) && run_seed(seed, &second) && first == second;
    printf("seed %llu: %016llx, %s\n", (unsigned long long)seed, (unsigned long long)first,
           is_same ? "both times" : "and another time another");
    return is_same;
}

/* One seed a line, behind it what it found. */
static unsigned run_kept(const char *path, unsigned *count)
{
    char line[256];
    unsigned bad = 0;
    uint64_t digest = 0;
    FILE *file = fopen(path, "r");
    if (!file)
        return 1;
    while (fgets(line, sizeof line, file))
        if (line[0] >= '0' && line[0] <= '9') {
            bad += !run_seed(strtoull(line, NULL, 10), &digest);
            ++*count;
        }
    fclose(file);
    return bad;
}

static int usage(void)
{
    fputs("usage: sim [--all] [--tell] [--seed N | --seeds A..B | --kept FILE | --twice N]...\n",
          stderr);
    return 2;
}

int main(int argc, char **argv)
{
    unsigned bad = 0, count = 0;
    bool all = false;
    for (int i = 1; i < argc && (all || !bad); i++) {
        char *end = NULL;
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        uint64_t first = strtoull(value, &end, 10), last = first;
        if (strcmp(argv[i], "--all") == 0 || strcmp(argv[i], "--tell") == 0) {
            all |= argv[i][2] == 'a';
            is_telling |= argv[i][2] == 't';
            continue;
        }
        if (strcmp(argv[i], "--seeds") == 0 && strncmp(end, "..", 2) == 0)
            last = strtoull(end + 2, NULL, 10);
        if (strcmp(argv[i], "--kept") == 0) {
            bad += run_kept(value, &count);
        } else if (strcmp(argv[i], "--twice") == 0) {
            bad += !run_twice(first);
            count++;
        } else if (strncmp(argv[i], "--seed", 6) == 0 && i + 1 < argc) {
            bad += run_seeds(first, last, all);
            count += (unsigned)(last - first + 1);
        } else {
            return usage();
        }
        i++;
    }
    printf("%u passed, %u failed, 0 skipped\n", count - bad, bad);
    return count == 0 || bad ? 1 : 0;
}
