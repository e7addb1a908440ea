#include "tests/crash/disk.h"

#include "proto/base/check.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILES_MAX = 256, NAMES_MAX = 64, SECTOR = 512, PATH_LEN_MAX = 4096, NAME_LEN_MAX = 256 };

/* A write, or a new length (is_size). */
struct change {
    uint64_t at;
    uint64_t len;
    const uint8_t *bytes;
    bool is_size;
};

struct file {
    uint64_t inode;
    bool is_folder;
    uint8_t *bytes; /* what is certain */
    uint64_t len;
    uint64_t cap;
    struct change *changes; /* what is not */
    size_t count;
    size_t room;
    size_t asked; /* how many of them a sync under way will make certain */
};

/* A name in a folder, or that there is none any more (file NULL). */
struct name {
    struct file *folder; /* NULL: forgotten */
    char text[NAME_LEN_MAX];
    struct file *file;
    bool is_certain;
    uint32_t step; /* of one step, such as a rename: together or not at all */
};

struct disk {
    struct file root;
    struct file *files[FILES_MAX];
    size_t file_count;
    struct name names[NAMES_MAX]; /* certain ones first, then what happened since, in order */
    size_t name_count;
    uint32_t step;
};

uint64_t random_next(struct random *random)
{
    random->state += 0x9e3779b97f4a7c15;
    uint64_t z = random->state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

uint64_t random_below(struct random *random, uint64_t end)
{
    return end ? random_next(random) % end : 0;
}

const char *disk_mode_name(enum disk_mode mode)
{
    static const char *const NAMES[DISK_MODES] = {"nothing", "all",     "half", "shuffled",
                                                  "torn",    "but one", "one"};
    return NAMES[mode];
}

struct disk *disk_new(void)
{
    struct disk *disk = (struct disk *)calloc(1, sizeof *disk);
    ENC_CHECK(disk != NULL);
    disk->root.is_folder = true;
    disk->files[disk->file_count++] = &disk->root;
    return disk;
}

/* ---- files ---- */

static struct file *find(const struct disk *disk, uint64_t inode)
{
    for (size_t i = disk->file_count; i-- > 0;)
        if (disk->files[i]->inode == inode)
            return disk->files[i];
    return NULL;
}

static struct file *make(struct disk *disk, uint64_t inode, bool is_folder)
{
    struct file *file = (struct file *)calloc(1, sizeof *file);
    ENC_CHECK(file != NULL && disk->file_count < FILES_MAX);
    file->inode = inode;
    file->is_folder = is_folder;
    disk->files[disk->file_count++] = file;
    return file;
}

static void change(struct file *file, struct change change)
{
    if (file->count == file->room) {
        file->room = file->room ? 2 * file->room : 64;
        file->changes = (struct change *)realloc(file->changes, file->room * sizeof *file->changes);
        ENC_CHECK(file->changes != NULL);
    }
    file->changes[file->count++] = change;
}

static void stretch(struct file *file, uint64_t len)
{
    if (len > file->cap) {
        uint64_t cap = 2 * len;
        file->bytes = (uint8_t *)realloc(file->bytes, cap);
        ENC_CHECK(file->bytes != NULL);
        memset(file->bytes + file->cap, 0, cap - file->cap);
        file->cap = cap;
    }
    if (len > file->len)
        file->len = len;
}

static void settle(struct file *file, const struct change *change)
{
    if (change->is_size) {
        stretch(file, change->len);
        memset(file->bytes + change->len, 0, file->len - change->len);
        file->len = change->len;
        return;
    }
    stretch(file, change->at + change->len);
    memcpy(file->bytes + change->at, change->bytes, change->len);
}

static void forget(struct file *file, size_t from, size_t count)
{
    memmove(file->changes + from, file->changes + from + count,
            (file->count - from - count) * sizeof *file->changes);
    file->count -= count;
    file->asked = file->asked > from ? file->asked - count : file->asked;
}

static void synced(struct file *file)
{
    for (size_t i = 0; i < file->asked; i++)
        settle(file, &file->changes[i]);
    forget(file, 0, file->asked);
}

/* A synchronous write says nothing of those before it. */
static void written(struct file *file, uint64_t at)
{
    for (size_t i = file->count; i-- > 0;) {
        if (file->changes[i].is_size || file->changes[i].at != at)
            continue;
        settle(file, &file->changes[i]);
        forget(file, i, 1);
        return;
    }
}

/* ---- names ---- */

static struct file *look_up(const struct disk *disk, const struct file *folder, const char *text,
                            size_t len)
{
    for (size_t i = disk->name_count; i-- > 0;) {
        const struct name *name = &disk->names[i];
        if (name->folder == folder && strlen(name->text) == len &&
            memcmp(name->text, text, len) == 0)
            return name->file;
    }
    return NULL;
}

/* The folder of a path and the last name in it. */
static struct file *folder_of(struct disk *disk, const char **last, const char *path)
{
    struct file *folder = &disk->root;
    const char *slash;
    for (*last = path; (slash = strchr(*last, '/')); *last = slash + 1) {
        folder = look_up(disk, folder, *last, (size_t)(slash - *last));
        ENC_CHECK(folder != NULL);
    }
    return folder;
}

static struct file *named(struct disk *disk, const char *path)
{
    const char *last;
    struct file *folder = folder_of(disk, &last, path);
    return last[0] ? look_up(disk, folder, last, strlen(last)) : folder;
}

static void name(struct disk *disk, const char *path, struct file *file)
{
    const char *last;
    struct file *folder = folder_of(disk, &last, path);
    ENC_CHECK(disk->name_count < NAMES_MAX && strlen(last) < NAME_LEN_MAX);
    struct name *fresh = &disk->names[disk->name_count++];
    *fresh = (struct name){.folder = folder, .file = file, .step = disk->step};
    snprintf(fresh->text, sizeof fresh->text, "%s", last);
}

static bool is_same_name(const struct name *a, const struct name *b)
{
    return a->folder == b->folder && strcmp(a->text, b->text) == 0;
}

/* The folder is synced: its names are certain, and older ones of the same text are gone. */
static void settle_names(struct disk *disk, const struct file *folder)
{
    size_t kept = 0;
    for (size_t i = 0; i < disk->name_count; i++) {
        struct name *name = &disk->names[i];
        if (name->folder != folder || name->is_certain)
            continue;
        for (size_t j = 0; j < i; j++)
            if (is_same_name(&disk->names[j], name))
                disk->names[j].folder = NULL;
        name->is_certain = true;
    }
    for (size_t i = 0; i < disk->name_count; i++)
        if (disk->names[i].folder && !(disk->names[i].is_certain && !disk->names[i].file))
            disk->names[kept++] = disk->names[i];
    disk->name_count = kept;
}

/* ---- what happens ---- */

static void text_of(char out[PATH_LEN_MAX], const uint8_t *bytes, uint64_t len)
{
    snprintf(out, PATH_LEN_MAX, "%.*s", (int)len, (const char *)bytes);
}

static void rename_file(struct disk *disk, const uint8_t *bytes, uint64_t len, bool is_kept)
{
    char to[PATH_LEN_MAX];
    const char *from = (const char *)bytes;
    size_t from_len = strlen(from) + 1;
    text_of(to, bytes + from_len, len - from_len);
    name(disk, to, named(disk, from));
    if (!is_kept)
        name(disk, from, NULL);
}

/* A folder that was there before the journal began is certain. */
static void meet_folder(struct disk *disk, uint64_t inode, const char *path)
{
    struct file *file = named(disk, path);
    if (!file) {
        name(disk, path, file = make(disk, inode, true));
        disk->names[disk->name_count - 1].is_certain = true;
    }
    file->inode = inode;
}

static void step_file(struct disk *disk, const struct enc_journal_record *record,
                      const uint8_t *bytes)
{
    struct file *file = find(disk, record->file);
    if (!file)
        return; /* it was there before the journal began, and is none of the node's */
    switch (record->kind) {
    case ENC_JOURNAL_WRITE:
        change(file, (struct change){.at = record->at, .len = record->len, .bytes = bytes});
        break;
    case ENC_JOURNAL_SIZE:
        change(file, (struct change){.len = record->at, .is_size = true});
        break;
    case ENC_JOURNAL_WRITTEN:
        written(file, record->at);
        break;
    case ENC_JOURNAL_ASK:
        file->asked = file->count;
        break;
    default:
        if (file->is_folder)
            settle_names(disk, file);
        else
            synced(file);
        break;
    }
}

void disk_step(struct disk *disk, const struct enc_journal_record *record, const uint8_t *bytes)
{
    char path[PATH_LEN_MAX];
    disk->step++;
    switch (record->kind) {
    case ENC_JOURNAL_CREATE:
        text_of(path, bytes, record->len);
        name(disk, path, make(disk, record->file, record->at != 0));
        break;
    case ENC_JOURNAL_FOLDER:
        text_of(path, bytes, record->len);
        meet_folder(disk, record->file, path);
        break;
    case ENC_JOURNAL_UNLINK:
        text_of(path, bytes, record->len);
        name(disk, path, NULL);
        break;
    case ENC_JOURNAL_RENAME:
        rename_file(disk, bytes, record->len, record->at != 0);
        break;
    case ENC_JOURNAL_SAY:
        break;
    default:
        step_file(disk, record, bytes);
        break;
    }
}

/* ---- after the cut ---- */

struct image {
    enum disk_mode mode;
    struct random *random;
    uint8_t *bytes; /* of the file in hand */
    uint64_t len;
    uint64_t chosen; /* a change, where one is */
    bool names[NAMES_MAX];
};

static bool coin(const struct image *image)
{
    return random_next(image->random) & 1;
}

static bool is_kept(const struct image *image, uint64_t number)
{
    switch (image->mode) {
    case DISK_NOTHING:
        return false;
    case DISK_HALF:
        return coin(image);
    case DISK_BUT_ONE:
        return number != image->chosen;
    case DISK_ONE:
        return number == image->chosen;
    default:
        return true;
    }
}

/* What lies behind the length that was chosen is not there. */
static void paint(const struct image *image, const struct change *change)
{
    for (uint64_t from = 0; from < change->len;) {
        uint64_t at = change->at + from;
        uint64_t len = SECTOR - at % SECTOR;
        len = len < change->len - from ? len : change->len - from;
        bool is_there = image->mode != DISK_TORN || coin(image);
        if (is_there && at < image->len)
            memcpy(image->bytes + at, change->bytes + from,
                   len < image->len - at ? len : image->len - at);
        from += len;
    }
}

/* Lengths become certain apart from what was written: any that the file has had since. */
static uint64_t choose_len(const struct image *image, const struct file *file)
{
    uint64_t len = file->len;
    uint64_t most = image->mode == DISK_ALL || image->mode == DISK_BUT_ONE
                        ? file->count
                        : random_below(image->random, file->count + 1);
    for (uint64_t i = 0; i < most; i++) {
        const struct change *change = &file->changes[i];
        uint64_t end = change->at + change->len;
        len = change->is_size || end > len ? end : len;
    }
    return image->mode == DISK_NOTHING ? file->len : len;
}

static void paint_all(const struct image *image, const struct file *file)
{
    const struct change **order = (const struct change **)calloc(file->count + 1, sizeof *order);
    ENC_CHECK(order != NULL);
    for (size_t i = 0; i < file->count; i++)
        order[i] = &file->changes[i];
    for (size_t i = file->count; image->mode == DISK_SHUFFLED && i > 1; i--) {
        size_t other = random_below(image->random, i);
        const struct change *kept = order[i - 1];
        order[i - 1] = order[other];
        order[other] = kept;
    }
    for (size_t i = 0; i < file->count; i++)
        if (!order[i]->is_size && is_kept(image, i))
            paint(image, order[i]);
    free(order);
}

static bool put_bytes(int fd, const uint8_t *bytes, uint64_t len)
{
    for (uint64_t at = 0; at < len;) {
        ssize_t done = write(fd, bytes + at, len - at);
        if (done <= 0)
            return false;
        at += (uint64_t)done;
    }
    return true;
}

static bool write_file(struct image *image, const struct file *file, const char *path)
{
    image->len = choose_len(image, file);
    image->chosen = random_below(image->random, file->count);
    image->bytes = (uint8_t *)calloc(1, image->len + 1);
    ENC_CHECK(image->bytes != NULL);
    if (file->len > 0)
        memcpy(image->bytes, file->bytes, file->len < image->len ? file->len : image->len);
    paint_all(image, file);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool done = fd >= 0 && put_bytes(fd, image->bytes, image->len);
    if (fd >= 0)
        close(fd);
    free(image->bytes);
    return done;
}

/* Which names are found: uncertain ones by a coin, those of one step together, and of one text the
 * newest. */
static void choose_names(const struct image *image, bool *out, const struct disk *disk)
{
    uint32_t step = 0;
    bool is_there = true;
    for (size_t i = 0; i < disk->name_count; i++) {
        const struct name *name = &disk->names[i];
        if (!name->is_certain && name->step != step) {
            step = name->step;
            is_there = image->mode == DISK_ALL || (image->mode != DISK_NOTHING && coin(image));
        }
        out[i] = name->is_certain || is_there;
        for (size_t j = 0; j < i && out[i]; j++)
            out[j] = out[j] && !is_same_name(&disk->names[j], name);
    }
}

static bool make_folder(struct image *image, const struct disk *disk, const struct file *folder,
                        const char *path)
{
    for (size_t i = 0; i < disk->name_count; i++) {
        char below[2 * PATH_LEN_MAX];
        const struct name *name = &disk->names[i];
        if (!image->names[i] || name->folder != folder || !name->file)
            continue;
        snprintf(below, sizeof below, "%.4000s/%.255s", path, name->text);
        bool is_made = name->file->is_folder
                           ? mkdir(below, 0700) == 0 && make_folder(image, disk, name->file, below)
                           : write_file(image, name->file, below);
        if (!is_made)
            return false;
    }
    return true;
}

bool disk_image(const struct disk *disk, const char *folder, enum disk_mode mode,
                struct random *random)
{
    struct image image = {.mode = mode, .random = random};
    choose_names(&image, image.names, disk);
    return make_folder(&image, disk, &disk->root, folder);
}
