#include "proto/base/check.h"

#include <criterion/criterion.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static sigjmp_buf aborted;

static void leave(int number)
{
    siglongjmp(aborted, number);
}

/* What fail writes to stderr before it aborts. */
static const char *said_by(void (*fail)(void))
{
    static char said[256];
    int ends[2], real_stderr = dup(STDERR_FILENO);
    cr_assert_eq(pipe(ends), 0);
    cr_assert_neq(signal(SIGABRT, leave), SIG_ERR);
    dup2(ends[1], STDERR_FILENO);
    int number = sigsetjmp(aborted, 1);
    if (number == 0)
        fail();
    dup2(real_stderr, STDERR_FILENO);
    close(ends[1]);
    cr_assert_eq(number, SIGABRT, "it did not abort");
    ssize_t len = read(ends[0], said, sizeof said - 1);
    cr_assert_geq(len, 0);
    said[len] = '\0';
    return said;
}

static void fail_at_0(void)
{
    enc_check_failed("sky is blue", "weather.c", 0);
}

static void fail_at_1234567890(void)
{
    enc_check_failed("a < b", "dir/file.c", 1234567890);
}

static int below_zero(void)
{
    return -1;
}

static void fail_a_check(void)
{
    ENC_CHECK(below_zero() >= 0);
}

Test(check, names_what_and_where)
{
    cr_assert_str_eq(said_by(fail_at_0), "enclaved: check failed: sky is blue at weather.c:0\n");
    cr_assert_str_eq(said_by(fail_at_1234567890),
                     "enclaved: check failed: a < b at dir/file.c:1234567890\n");
}

Test(check, a_broken_check_stops_the_program)
{
    const char *said = said_by(fail_a_check);
    cr_assert_not_null(strstr(said, "check failed: below_zero() >= 0 at "), "%s", said);
    cr_assert_not_null(strstr(said, "check.c:"), "%s", said);
}

Test(check, a_kept_check_costs_nothing_else)
{
    int evaluated = 0;
    ENC_CHECK(++evaluated == 1);
    cr_assert_eq(evaluated, 1);
}

Test(check, without_a_handler_it_is_an_abort, .signal = SIGABRT)
{
    fail_a_check();
}
