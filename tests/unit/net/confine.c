#include "net/confine.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { UNREFUSED = 100, NOT_CONFINED = 101, FINE = 0 };

/* A child does work behind the filter and ends with its answer; the raw status comes back. */
static int status_behind(enum enc_confine_way way, int (*work)(void))
{
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        _exit(enc_confine_calls(way) ? NOT_CONFINED : work());
    }
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    return status;
}

/* ---- what is not in the list ---- */

static const struct {
    const char *name;
    long number, a, b, c;
} FORBIDDEN[] = {
    {"execve", SYS_execve, (long)"/bin/true", 0, 0},
    {"execveat", SYS_execveat, AT_FDCWD, (long)"/bin/true", 0},
    {"ptrace", SYS_ptrace, PTRACE_TRACEME, 0, 0},
    {"a process", SYS_clone, SIGCHLD, 0, 0},
    {"clone3", SYS_clone3, 0, 0, 0},
    {"mount", SYS_mount, (long)"x", (long)"/x", (long)"tmpfs"},
    {"unshare", SYS_unshare, 0x10000000, 0, 0},
    {"setns", SYS_setns, 0, 0, 0},
    {"setuid", SYS_setuid, 0, 0, 0},
    {"capset", SYS_capset, 0, 0, 0},
    {"bpf", SYS_bpf, 0, 0, 0},
    {"perf_event_open", SYS_perf_event_open, 0, 0, 0},
    {"io_uring_setup", SYS_io_uring_setup, 1, 0, 0},
    {"userfaultfd", SYS_userfaultfd, 0, 0, 0},
    {"keyctl", SYS_keyctl, 0, 0, 0},
    {"process_vm_readv", SYS_process_vm_readv, 1, 0, 0},
    {"kill", SYS_kill, 1, 0, 0},
    {"chmod", SYS_fchmodat, AT_FDCWD, (long)"/x", 0},
    {"rename", SYS_renameat2, AT_FDCWD, (long)"/x", AT_FDCWD},
    {"link", SYS_linkat, AT_FDCWD, (long)"/x", AT_FDCWD},
    {"listen", SYS_listen, 0, 1, 0},
    {"a packet socket", SYS_socket, AF_PACKET, SOCK_RAW, 0},
    {"a socket of another family", SYS_socket, AF_VSOCK, SOCK_STREAM, 0},
    {"memory that runs", SYS_mmap, 0, 4096, PROT_READ | PROT_EXEC},
    {"PR_SET_DUMPABLE", SYS_prctl, PR_SET_DUMPABLE, 1, 0},
    {"PR_SET_SECCOMP", SYS_prctl, PR_SET_SECCOMP, 0, 0},
    {"a module", SYS_init_module, 0, 0, 0},
    {"reboot", SYS_reboot, 0, 0, 0},
};

static unsigned at;

static int call_row(void)
{
    errno = 0;
    long got = syscall(FORBIDDEN[at].number, FORBIDDEN[at].a, FORBIDDEN[at].b, FORBIDDEN[at].c,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return got == -1 && errno == ENOSYS ? FINE : UNREFUSED;
}

Test(confine, what_is_not_in_the_list_is_refused)
{
    if (!ENC_CONFINABLE)
        cr_skip_test("a build that is never confined");
    for (at = 0; at < sizeof FORBIDDEN / sizeof *FORBIDDEN; at++) {
        int status = status_behind(ENC_CONFINE_REFUSE, call_row);
        cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == FINE, "%s: %x", FORBIDDEN[at].name,
                  (unsigned)status);
    }
}

Test(confine, or_deadly)
{
    if (!ENC_CONFINABLE)
        cr_skip_test("a build that is never confined");
    for (at = 0; at < sizeof FORBIDDEN / sizeof *FORBIDDEN; at++) {
        int status = status_behind(ENC_CONFINE_KILL, call_row);
        bool is_clone3 = FORBIDDEN[at].number == SYS_clone3; /* libc asks for it and goes on */
        cr_expect(is_clone3 ? WIFEXITED(status) : WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS,
                  "%s: %x", FORBIDDEN[at].name, (unsigned)status);
    }
}

/* The same calls must be there without the filter, or the tests above say nothing. */
Test(confine, without_a_filter_they_are_other_errors)
{
    unsigned refused = 0;
    for (at = 0; at < sizeof FORBIDDEN / sizeof *FORBIDDEN; at++) {
        if (FORBIDDEN[at].number == SYS_reboot || FORBIDDEN[at].number == SYS_kill ||
            FORBIDDEN[at].number == SYS_execve || FORBIDDEN[at].number == SYS_clone)
            continue;
        int status = status_behind(ENC_CONFINE_OFF, call_row);
        refused += WIFEXITED(status) && WEXITSTATUS(status) == FINE;
    }
    cr_assert_lt(refused, 5, "%u are not in this kernel", refused);
}

/* ---- what the node does ---- */

static void *add_one(void *counter)
{
    ++*(int *)counter;
    return NULL;
}

static int work_as_the_node(void)
{
    char byte = 'x';
    int counter = 0, ends[2], file;
    pthread_t thread;
    void *memory = malloc(1 << 22);
    if (!memory || pthread_create(&thread, NULL, add_one, &counter) != 0)
        return 1;
    pthread_join(thread, NULL);
    free(memory);
    if (counter != 1 || socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0 ||
        write(ends[0], &byte, 1) != 1 || read(ends[1], &byte, 1) != 1)
        return 2;
    file = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (file < 0 || fcntl(file, F_GETFD) != FD_CLOEXEC || socket(AF_INET, SOCK_STREAM, 0) < 0)
        return 3;
    return mprotect(NULL, 0, PROT_READ) == 0 ? FINE : 4;
}

Test(confine, threads_memory_files_and_sockets_go_on)
{
    for (unsigned way = 0; way <= ENC_CONFINE_KILL; way++) {
        int status = status_behind((enum enc_confine_way)way, work_as_the_node);
        cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == FINE, "%u: %x", way,
                  (unsigned)status);
    }
}

static int abort_it(void)
{
    abort();
}

Test(confine, a_crash_is_still_one)
{
    int status = status_behind(ENC_CONFINE_REFUSE, abort_it);
    cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

static int pipe_ends[2];

static void *call_later(void *answer)
{
    char byte;
    ssize_t got = read(pipe_ends[0], &byte, 1);
    (void)got;
    *(long *)answer = syscall(SYS_ptrace, PTRACE_TRACEME, 0, 0, 0) == -1 ? errno : 0;
    return NULL;
}

/* A filter for the whole process must be the thread's that was there before. */
static int confine_beside_a_thread(void)
{
    long answer = 0;
    pthread_t thread;
    if (pipe(pipe_ends) != 0 || pthread_create(&thread, NULL, call_later, &answer) != 0)
        return 1;
    if (enc_confine_calls(ENC_CONFINE_REFUSE) || write(pipe_ends[1], "x", 1) != 1)
        return 2;
    pthread_join(thread, NULL);
    return answer == ENOSYS ? FINE : 3;
}

Test(confine, threads_that_run_are_confined_too)
{
    if (!ENC_CONFINABLE)
        cr_skip_test("a build that is never confined");
    int status = status_behind(ENC_CONFINE_OFF, confine_beside_a_thread);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == FINE, "%x", (unsigned)status);
}

/* ---- files ---- */

static char mine[64], beside[64];

static bool can(const char *folder, const char *name, int flags)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int fd = open(path, flags | O_CLOEXEC, 0600);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static int use_files(void)
{
    const struct enc_confine_path paths[] = {
        {mine, true, false}, {"", true, false}, {"/nonexistent/x", false, true}};
    if (enc_confine_files(paths, sizeof paths / sizeof *paths))
        return NOT_CONFINED;
    bool is_ours = can(mine, "new", O_RDWR | O_CREAT) && can(mine, "new", O_RDWR | O_TRUNC);
    bool is_systems = can("/etc", "passwd", O_RDONLY) && can("/dev", "null", O_WRONLY);
    bool is_kept = !can(beside, "old", O_RDONLY) && !can(beside, "new", O_RDWR | O_CREAT) &&
                   !can("/etc", "passwd", O_RDWR) && !can("/root", ".", O_RDONLY);
    return is_ours && is_systems && is_kept ? FINE : UNREFUSED;
}

Test(confine, files_are_the_data_and_what_the_system_has_to_read)
{
    char path[128];
    strcpy(mine, "/tmp/enclaved-confine-XXXXXX");
    strcpy(beside, "/tmp/enclaved-beside-XXXXXX");
    cr_assert(mkdtemp(mine) && mkdtemp(beside));
    cr_assert(can(beside, "old", O_RDWR | O_CREAT));
    int status = status_behind(ENC_CONFINE_OFF, use_files);
    static const char *const NAMES[] = {"new", "old"};
    for (size_t i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s", mine, NAMES[i]);
        unlink(path);
        snprintf(path, sizeof path, "%s/%s", beside, NAMES[i]);
        unlink(path);
    }
    rmdir(mine);
    rmdir(beside);
    if (WIFEXITED(status) && WEXITSTATUS(status) == NOT_CONFINED)
        cr_skip_test("a kernel without Landlock");
    if (ENC_CONFINABLE)
        cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == FINE, "%x", (unsigned)status);
}
