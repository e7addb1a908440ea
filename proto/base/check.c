#include "proto/base/check.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void say(const char *text)
{
    if (write(STDERR_FILENO, text, strlen(text)) < 0)
        return; /* nothing left to tell it to; the abort follows */
}

/* write(2) only: a crash must not wait for a lock or an allocator that may be the broken part. */
__attribute__((weak)) void enc_check_failed(const char *condition, const char *file, int line)
{
    char digits[12];
    char *at = digits + sizeof digits - 1;
    *at = '\0';
    for (unsigned rest = (unsigned)line; at == digits + sizeof digits - 1 || rest; rest /= 10)
        *--at = (char)('0' + rest % 10);
    say("enclaved: check failed: ");
    say(condition);
    say(" at ");
    say(file);
    say(":");
    say(at);
    say("\n");
    abort();
}
