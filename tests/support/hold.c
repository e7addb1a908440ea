/* A library to be preloaded: calls into the system stand still for as long as a file exists, so
 * that a thread of a real daemon is really stuck. The files are $HOLD.<name of the call>. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { STEP_US = 10000 };

static void hold(const char *call)
{
    char path[512];
    const char *prefix = getenv("HOLD");
    snprintf(path, sizeof path, "%s.%s", prefix ? prefix : "", call);
    while (prefix && access(path, F_OK) == 0)
        usleep(STEP_US);
}

/* The writer, before a transaction is durable. */
int fdatasync(int fd)
{
    static int (*real)(int);
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "fdatasync");
    hold("fdatasync");
    return real(fd);
}

/* A loop, when somebody connects. */
struct sockaddr;
int accept4(int fd, struct sockaddr *address, unsigned *len, int flags);
int accept4(int fd, struct sockaddr *address, unsigned *len, int flags)
{
    static int (*real)(int, struct sockaddr *, unsigned *, int);
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "accept4");
    hold("accept4");
    return real(fd, address, len, flags);
}

/* Whoever reads from the store: workers. */
struct MDB_txn;
int mdb_txn_renew(struct MDB_txn *txn);
int mdb_txn_renew(struct MDB_txn *txn)
{
    static int (*real)(struct MDB_txn *);
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "mdb_txn_renew");
    hold("mdb_txn_renew");
    return real(txn);
}
