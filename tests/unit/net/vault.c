#include "net/vault.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SECRET = 0x5a };

static struct enc_vault open_vault(void)
{
    struct enc_vault vault;
    cr_assert(enc_vault_open(&vault, 100));
    memset(vault.room, SECRET, 100);
    return vault;
}

/* What a child's end says: its signal, or 0. */
static int signal_of(pid_t pid)
{
    int status = 0;
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

/* Ends by a signal when the byte cannot be read. */
static int signal_of_reading(const volatile uint8_t *byte)
{
    pid_t pid = fork();
    if (pid == 0) {
        signal(SIGSEGV, SIG_DFL);
        _exit(*byte == 1);
    }
    return signal_of(pid);
}

Test(vault, is_whole_pages_of_zeros_and_locked)
{
    struct enc_vault vault;
    cr_assert(enc_vault_open(&vault, 100));
    cr_assert_eq(vault.room_len, (size_t)sysconf(_SC_PAGESIZE));
    cr_assert_eq((uintptr_t)vault.room % vault.room_len, 0);
    for (size_t i = 0; i < vault.room_len; i++)
        cr_assert_eq(((const uint8_t *)vault.room)[i], 0);
    cr_assert(vault.is_locked);
    enc_vault_close(&vault);
}

Test(vault, has_walls)
{
    struct enc_vault vault = open_vault();
    const uint8_t *room = vault.room;
    cr_assert_eq(signal_of_reading(room), 0);
    cr_assert_eq(signal_of_reading(room + vault.room_len - 1), 0);
    cr_assert_eq(signal_of_reading(room - 1), SIGSEGV);
    cr_assert_eq(signal_of_reading(room + vault.room_len), SIGSEGV);
    enc_vault_close(&vault);
}

Test(vault, children_see_zeros)
{
    struct enc_vault vault = open_vault();
    const volatile uint8_t *room = vault.room;
    int status = 0;
    pid_t pid = fork();
    if (pid == 0)
        _exit(room[0]);
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_assert_eq(WEXITSTATUS(status), 0);
    cr_assert_eq(room[0], SECRET);
    enc_vault_close(&vault);
}

Test(vault, is_written_only_when_permitted)
{
    struct enc_vault vault = open_vault();
    enc_vault_permit(&vault, false);
    pid_t pid = fork();
    if (pid == 0) {
        signal(SIGSEGV, SIG_DFL);
        *(volatile uint8_t *)vault.room = 1;
        _exit(0);
    }
    cr_assert_eq(signal_of(pid), SIGSEGV);
    enc_vault_permit(&vault, true);
    memset(vault.room, 1, 1);
    enc_vault_close(&vault);
}

Test(vault, is_gone_when_closed)
{
    struct enc_vault vault = open_vault();
    void *room = vault.room;
    enc_vault_permit(&vault, false);
    enc_vault_close(&vault);
    unsigned char there;
    cr_assert(mincore(room, 1, &there) != 0 && errno == ENOMEM);
    enc_vault_close(&vault);
}

Test(vault, tells_when_it_may_not_lock)
{
    struct rlimit none = {0, 0};
    struct enc_vault vault;
    if (geteuid() == 0)
        cr_assert_eq(setreuid(65534, 65534), 0); /* root may lock whatever the limit */
    cr_assert_eq(setrlimit(RLIMIT_MEMLOCK, &none), 0);
    if (mlock(&none, sizeof none) == 0)
        cr_skip_test("AddressSanitizer answers mlock itself");
    cr_assert(enc_vault_open(&vault, 1));
    cr_assert(!vault.is_locked);
    enc_vault_close(&vault);
}
