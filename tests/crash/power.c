/*
 * power JOURNAL --cuts N [--seed S] [--shards N] [--only N] [--keep]
 *
 * A power cut at N moments of a journal (recorder.c): for each the files are made as they may be
 * found afterwards, the real store opens them, everything is checked, and what the node had said by
 * then must be there. Prints a line per failure, and one at the end. Status 1: something failed.
 */
#include "tests/crash/disk.h"
#include "tests/crash/found.h"

#include "proto/base/check.h"

#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CUTS_MAX = 100000, EARLY = 80, SHOWN = 20, PATH_LEN_MAX = 4096 };

struct cut {
    size_t at; /* records that have happened */
    uint64_t seed;
};

struct power {
    const uint8_t *journal;
    size_t len;
    const struct enc_journal_record **records;
    size_t count;
    struct said said;
    char root[PATH_LEN_MAX];
    uint64_t seed;
    unsigned cut_count;
    unsigned failures;
    unsigned shards; /* as the node's configuration has it */
    long only;       /* one cut; -1: all */
    bool keeps;
};

static struct cut cuts[CUTS_MAX];

static const uint8_t *bytes_of(const struct enc_journal_record *record)
{
    return (const uint8_t *)(record + 1);
}

/* ---- the journal ---- */

/* Records are not aligned in the file; what is read of them is copied. */
static void read_records(struct power *power)
{
    size_t room = 0;
    for (size_t at = 0; at + sizeof(struct enc_journal_record) <= power->len;) {
        struct enc_journal_record *copy;
        struct enc_journal_record head;
        memcpy(&head, power->journal + at, sizeof head);
        if (head.magic != ENC_JOURNAL_MAGIC || head.len > power->len - at - sizeof head)
            break; /* the last one may be cut by a signal */
        copy = (struct enc_journal_record *)malloc(sizeof head + head.len + 1);
        ENC_CHECK(copy != NULL);
        memcpy(copy, power->journal + at, sizeof head + head.len);
        ((char *)(copy + 1))[head.len] = '\0';
        if (power->count == room) {
            room = room ? 2 * room : 4096;
            power->records = (const struct enc_journal_record **)realloc(
                power->records, room * sizeof *power->records);
            ENC_CHECK(power->records != NULL);
        }
        power->records[power->count++] = copy;
        at += sizeof head + head.len;
    }
}

static bool read_journal(struct power *power, const char *path)
{
    struct stat facts;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &facts) != 0 || facts.st_size == 0)
        return false;
    power->len = (size_t)facts.st_size;
    void *map = mmap(NULL, power->len, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    if (map == MAP_FAILED)
        return false;
    power->journal = (const uint8_t *)map;
    read_records(power);
    munmap(map, power->len);
    return power->count > 0;
}

/* ---- where to cut ---- */

static bool is_of_disk(const struct enc_journal_record *record)
{
    return record->kind != ENC_JOURNAL_SAY;
}

static bool binds(const struct enc_journal_record *record)
{
    struct said said = {.count = 0};
    if (!is_of_disk(record))
        said_hear(&said, enc_bytes_of(bytes_of(record), record->len));
    free(said.all);
    return said.count > 0;
}

static int by_place(const void *a, const void *b)
{
    size_t one = ((const struct cut *)a)->at;
    size_t two = ((const struct cut *)b)->at;
    return (one > two) - (one < two);
}

/* Places where to cut: behind what was done to the disk, behind what was said. */
struct places {
    size_t *disk;
    size_t disk_count;
    size_t *said;
    size_t said_count;
};

static void find_places(struct places *out, const struct power *power)
{
    out->disk = (size_t *)calloc(power->count, sizeof *out->disk);
    out->said = (size_t *)calloc(power->count, sizeof *out->said);
    ENC_CHECK(out->disk != NULL && out->said != NULL);
    for (size_t i = 0; i < power->count; i++)
        if (is_of_disk(power->records[i]))
            out->disk[out->disk_count++] = i + 1;
        else if (binds(power->records[i]))
            out->said[out->said_count++] = i + 1;
    ENC_CHECK(out->disk_count > 0);
}

/* Of four cuts two are while the directory is made, each moment of that in turn, one is right
 * behind something said, and one is anywhere. */
static size_t choose_place(const struct places *places, struct random *random, unsigned number)
{
    size_t early = places->disk_count < EARLY ? places->disk_count : EARLY;
    if (number % 2 == 0)
        return places->disk[number / 2 % early];
    if (number % 4 == 1 && places->said_count > 0)
        return places->said[random_below(random, places->said_count)];
    return places->disk[random_below(random, places->disk_count)];
}

static void choose(struct power *power)
{
    struct random random = {.state = power->seed};
    struct places places = {.disk_count = 0};
    find_places(&places, power);
    for (unsigned i = 0; i < power->cut_count; i++) {
        size_t at = choose_place(&places, &random, i);
        cuts[i] = (struct cut){.at = at, .seed = random_next(&random)};
    }
    free(places.disk);
    free(places.said);
    qsort(cuts, power->cut_count, sizeof *cuts, by_place);
}

/* ---- one cut ---- */

static int remove_entry(const char *path, const struct stat *facts, int type, struct FTW *ftw)
{
    (void)facts;
    (void)type;
    (void)ftw;
    return remove(path);
}

static void clear(const char *path)
{
    nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static const char *const KINDS[SAID_KINDS] = {"a receipt", "a tree head", "a push"};

static bool stands_by(const struct power *power, struct fault *fault, const char *dir,
                      const char *scratch)
{
    struct said found = {.count = 0};
    const struct place place = {.dir = dir, .scratch = scratch, .shards = power->shards};
    if (!found_in(&found, fault, &place))
        return false;
    for (size_t i = 0; i < power->said.count; i++) {
        const struct said_one *one = &power->said.all[i];
        if (said_has(&found, one))
            continue;
        snprintf(fault->text, sizeof fault->text, "%s is lost: %.*s", KINDS[one->kind],
                 (int)(one->len < 400 ? one->len : 400), (const char *)one->text);
        return false;
    }
    return true;
}

/* In a process of its own, which may end as it likes. */
static bool survives(const struct power *power, struct fault *fault, const char *image)
{
    char dir[2 * PATH_LEN_MAX];
    char scratch[2 * PATH_LEN_MAX];
    int ends[2];
    int status = 0;
    snprintf(dir, sizeof dir, "%.4000s/data", image);
    snprintf(scratch, sizeof scratch, "%.4000s.scratch", image);
    ENC_CHECK(pipe(ends) == 0);
    fflush(stdout);
    pid_t child = fork();
    ENC_CHECK(child >= 0);
    if (child == 0) {
        alarm(60);
        bool is_good = stands_by(power, fault, dir, scratch);
        _exit(is_good || write(ends[1], fault, sizeof *fault) < 0 ? 0 : 1);
    }
    close(ends[1]);
    ssize_t len = read(ends[0], fault, sizeof *fault);
    close(ends[0]);
    ENC_CHECK(waitpid(child, &status, 0) == child);
    clear(scratch);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return true;
    if (len <= 0)
        snprintf(fault->text, sizeof fault->text, "the check ended with status %d", status);
    return false;
}

static void cut_at(struct power *power, const struct disk *disk, unsigned number)
{
    char image[2 * PATH_LEN_MAX];
    struct fault fault = {.text = ""};
    struct random random = {.state = cuts[number].seed};
    enum disk_mode mode = (enum disk_mode)random_below(&random, DISK_MODES);
    snprintf(image, sizeof image, "%.4000s/cut-%u", power->root, number);
    ENC_CHECK(mkdir(image, 0700) == 0);
    ENC_CHECK(disk_image(disk, image, mode, &random));
    bool is_good = survives(power, &fault, image);
    if (!is_good && power->failures++ < SHOWN)
        printf("cut %u behind record %zu of %zu, %s of what was not synced: %s\n", number,
               cuts[number].at, power->count, disk_mode_name(mode), fault.text);
    if (is_good || !power->keeps)
        clear(image);
}

static void run(struct power *power)
{
    struct disk *disk = disk_new();
    size_t at = 0;
    for (unsigned i = 0; i < power->cut_count; i++) {
        for (; at < cuts[i].at; at++) {
            const struct enc_journal_record *record = power->records[at];
            disk_step(disk, record, bytes_of(record));
            if (!is_of_disk(record))
                said_hear(&power->said, enc_bytes_of(bytes_of(record), record->len));
        }
        if (power->only < 0 || power->only == (long)i)
            cut_at(power, disk, i);
    }
}

/* ---- the command ---- */

static bool take_words(struct power *power, int count, char **words)
{
    for (int i = 2; i < count; i++) {
        const char *value = i + 1 < count ? words[i + 1] : "";
        if (strcmp(words[i], "--keep") == 0)
            power->keeps = true;
        else if (strcmp(words[i], "--cuts") == 0)
            power->cut_count = (unsigned)atoi(value), i++;
        else if (strcmp(words[i], "--seed") == 0)
            power->seed = strtoull(value, NULL, 10), i++;
        else if (strcmp(words[i], "--shards") == 0)
            power->shards = (unsigned)atoi(value), i++;
        else if (strcmp(words[i], "--only") == 0)
            power->only = atol(value), i++;
        else
            return false;
    }
    return count > 1 && power->cut_count > 0 && power->cut_count <= CUTS_MAX;
}

int main(int count, char **words)
{
    static struct power power = {.only = -1, .seed = 1};
    if (!take_words(&power, count, words) || !read_journal(&power, words[1])) {
        fprintf(stderr,
                "usage: power JOURNAL --cuts N [--seed S] [--shards N] [--only N] [--keep]\n");
        return 2;
    }
    const char *parent = getenv("TMPDIR");
    snprintf(power.root, sizeof power.root, "%s/enclaved-power-XXXXXX", parent ? parent : "/tmp");
    ENC_CHECK(mkdtemp(power.root) != NULL);
    choose(&power);
    run(&power);
    size_t kinds[SAID_KINDS] = {0};
    for (size_t i = 0; i < power.said.count; i++)
        kinds[power.said.all[i].kind]++;
    if (!power.keeps)
        clear(power.root);
    printf("%u cuts, %u failures; %zu records, %zu receipts, %zu heads, %zu pushes\n",
           power.cut_count, power.failures, power.count, kinds[SAID_RECEIPT], kinds[SAID_HEAD],
           kinds[SAID_PUSH]);
    return power.failures ? 1 : 0;
}
