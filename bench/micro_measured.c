/* A file of its own, so that no compiler folds it into its caller: callgrind looks for its name. */
#include "bench/micro.h"

#include <time.h>

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t micro_measured(const struct micro_row *row, struct micro *micro, size_t count)
{
    uint64_t start_ns = now_ns();
    row->run(micro, count);
    return now_ns() - start_ns;
}
