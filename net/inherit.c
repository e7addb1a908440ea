#include "net/inherit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What an environment variable counts; 0 when it does not. */
static unsigned long number_of(const char *name)
{
    const char *text = getenv(name);
    return text ? strtoul(text, NULL, 10) : 0;
}

static unsigned passed_count(void)
{
    unsigned long count = number_of("LISTEN_FDS");
    if (number_of("LISTEN_PID") != (unsigned long)getpid())
        return 0;
    return count < ENC_INHERIT_FDS_MAX ? (unsigned)count : ENC_INHERIT_FDS_MAX;
}

/* Separated by ':'. Too few of them is no mistake: nobody asks for one without a name. */
static void read_names(struct enc_inherit *inherit)
{
    const char *rest = getenv("LISTEN_FDNAMES");
    for (unsigned i = 0; rest && i < inherit->count; i++) {
        int len = (int)strcspn(rest, ":");
        snprintf(inherit->names[i], sizeof *inherit->names, "%.*s", len, rest);
        rest = rest[len] ? rest + len + 1 : NULL;
    }
}

void enc_inherit_init(struct enc_inherit *inherit)
{
    *inherit = (struct enc_inherit){.count = passed_count()};
    for (unsigned i = 0; i < inherit->count; i++) {
        int fd = ENC_INHERIT_FIRST_FD + (int)i;
        inherit->fds[i] = fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 ? fd : -1;
    }
    read_names(inherit);
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
}

unsigned enc_inherit_take(struct enc_inherit *inherit, int *fds, unsigned max, const char *name)
{
    unsigned count = 0;
    for (unsigned i = 0; i < inherit->count && count < max; i++) {
        if (inherit->fds[i] < 0 || strcmp(inherit->names[i], name) != 0)
            continue;
        fds[count++] = inherit->fds[i];
        inherit->fds[i] = -1;
    }
    return count;
}

unsigned enc_inherit_fini(struct enc_inherit *inherit)
{
    unsigned closed = 0;
    for (unsigned i = 0; i < inherit->count; i++) {
        if (inherit->fds[i] >= 0 && close(inherit->fds[i]) == 0)
            closed++;
    }
    inherit->count = 0;
    return closed;
}
