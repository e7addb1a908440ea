/* What a commit cannot do without: load floor, the signatures; load sync, the disk. */
#include "bench/load.h"

#include "proto/schnorr.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { PAGES_LEN = 16384, FILE_LEN = 1 << 22 };

static uint64_t thread_cpu_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* One verification and one signature, --count times, with the library that the node links. */
int load_run_floor(const struct load_options *options)
{
    struct enc_key key;
    uint8_t seed32[32] = {7};
    uint8_t msg32[32] = {1};
    uint8_t sig64[64];
    struct enc_curve *curve =
        enc_curve_init(aligned_alloc(16, (enc_curve_size() + 15) & ~(size_t)15), seed32);
    ENC_CHECK(enc_key_init(&key, curve, seed32));
    uint64_t cpu_ns = thread_cpu_ns();
    for (size_t i = 0; i < options->count; i++) {
        enc_be64_put(msg32, i);
        enc_schnorr_sign(curve, sig64, &key, msg32);
        ENC_CHECK(enc_schnorr_verify(curve, sig64, msg32, key.pub32));
    }
    printf("{\"count\":%zu,\"us\":%.3f}\n", options->count,
           (double)(thread_cpu_ns() - cpu_ns) / 1e3 / (double)options->count);
    return 0;
}

/* Write four pages and fdatasync, --count times, in a file that has its length: what one group of
 * commits costs on the disk of --dir. */
int load_run_sync(const struct load_options *options)
{
    static uint8_t pages[PAGES_LEN];
    char path[4096];
    uint64_t *took_ns = (uint64_t *)load_alloc(options->count, sizeof *took_ns);
    snprintf(path, sizeof path, "%s/sync", options->dir);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || posix_fallocate(fd, 0, FILE_LEN) != 0 || fsync(fd) != 0)
        load_die(path);
    for (size_t i = 0; i < options->count; i++) {
        off_t at = (off_t)(i * PAGES_LEN % FILE_LEN);
        memset(pages, (int)i, sizeof pages);
        uint64_t start_ns = load_now_ns();
        if (pwrite(fd, pages, sizeof pages, at) != PAGES_LEN || fdatasync(fd) != 0)
            load_die(path);
        took_ns[i] = load_now_ns() - start_ns;
    }
    close(fd);
    unlink(path);
    printf("{\"count\":%zu,", options->count);
    load_print_percentiles(took_ns, options->count);
    printf("}\n");
    return 0;
}
