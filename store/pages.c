#include "store/pages.h"

#include "store/dir.h"
#include "store/note.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* The engine's format, version 1, as it lies on a machine of 64 bits. */
enum {
    PAGE_LEN = 4096,
    IS_BRANCH = 1,
    IS_LEAF = 2,
    IS_OVERFLOW = 4,
    IS_META = 8,
    NODE_IS_BIG = 1,
    NODE_IS_TREE = 2,
    NODE_HEAD_LEN = 8,
    FORMAT = 1,
    DEPTH_MAX = 32,
    NODES_MAX = PAGE_LEN / 2,
    NAME_LEN_MAX = 32,
};
static const uint32_t MAGIC = 0xbeefc0de;
static const uint64_t NO_PAGE = UINT64_MAX;

struct page {
    uint64_t number;
    uint16_t pad;
    uint16_t flags;
    uint16_t lower; /* of a run of pages: with upper, their number */
    uint16_t upper;
    uint16_t at[]; /* where nodes stand */
};

struct node {
    uint16_t low;
    uint16_t high;
    uint16_t flags;
    uint16_t key_len;
    uint8_t bytes[];
};

struct tree {
    uint32_t pad;
    uint16_t flags;
    uint16_t depth;
    uint64_t branches;
    uint64_t leaves;
    uint64_t overflows;
    uint64_t entries;
    uint64_t root;
};

struct meta {
    uint32_t magic;
    uint32_t format;
    uint64_t address;
    uint64_t map_len;
    struct tree trees[2]; /* of free pages, of tables */
    uint64_t last_page;
    uint64_t txn_id;
};

struct walk {
    const uint8_t *bytes;
    uint64_t page_count; /* in the file */
    uint8_t *owners;     /* per page: how many want it */
    const struct meta *meta;
    struct enc_page_flaw flaw;
    uint64_t flaw_count;
    enc_page_found *found;
    void *opaque;
    char tree[NAME_LEN_MAX];
};

/* The tree in hand. */
struct level {
    struct walk *walk;
    struct tree seen; /* counted on the way */
    uint16_t depth;   /* as it says itself */
    bool is_free;     /* keys are numbers, values lists of pages */
    bool is_main;     /* values are trees */
};

static bool wrong(struct walk *walk, uint64_t page, const char *what)
{
    walk->flaw.page = page;
    walk->flaw.tree = walk->tree;
    walk->flaw.what = what;
    walk->flaw_count++;
    walk->found(walk->opaque, &walk->flaw);
    return false;
}

/* ---- pages ---- */

static bool own(struct walk *walk, uint64_t page, uint64_t count)
{
    uint64_t end = walk->meta->last_page + 1;
    if (page < 2 || page >= end || count > end - page)
        return wrong(walk, page, "is no page of this file");
    for (uint64_t i = 0; i < count; i++)
        if (walk->owners[page + i]++)
            return wrong(walk, page + i, "is used twice");
    return true;
}

static const struct page *page_at(struct walk *walk, uint64_t number, unsigned flags)
{
    if (number >= walk->page_count)
        return wrong(walk, number, "is behind the end of the file"), NULL;
    const struct page *page = (const struct page *)(walk->bytes + number * PAGE_LEN);
    if (page->number != number)
        return wrong(walk, number, "has another number"), NULL;
    if (page->flags != flags)
        return wrong(walk, number, "is of another kind"), NULL;
    return page;
}

static size_t node_count(const struct page *page)
{
    return (page->lower - sizeof(struct page)) / 2;
}

static const struct node *node_at(const struct page *page, size_t index)
{
    return (const struct node *)((const uint8_t *)page + page->at[index]);
}

static uint64_t value_len(const struct node *node)
{
    return node->low | (uint64_t)node->high << 16;
}

static uint64_t child_of(const struct node *node)
{
    return value_len(node) | (uint64_t)node->flags << 32;
}

static uint64_t node_len(const struct node *node, bool is_leaf)
{
    uint64_t len = (uint64_t)NODE_HEAD_LEN + node->key_len;
    if (is_leaf)
        len += node->flags & NODE_IS_BIG ? sizeof(uint64_t) : value_len(node);
    return len + len % 2;
}

static int compare_places(const void *a, const void *b)
{
    return (int)*(const uint16_t *)a - (int)*(const uint16_t *)b;
}

/* The nodes fill the end of the page without a gap. */
static bool has_nodes(struct walk *walk, const struct page *page)
{
    uint16_t places[NODES_MAX];
    bool is_leaf = page->flags == IS_LEAF;
    bool is_shaped = page->lower >= sizeof *page && page->lower % 2 == 0 &&
                     page->lower <= page->upper && page->upper <= PAGE_LEN;
    if (!is_shaped || node_count(page) == 0)
        return wrong(walk, page->number, "has no sound list of nodes");
    size_t count = node_count(page);
    memcpy(places, page->at, count * sizeof *places);
    qsort(places, count, sizeof *places, compare_places);
    uint64_t due = page->upper;
    for (size_t i = 0; i < count; i++) {
        if (places[i] != due || due + NODE_HEAD_LEN > PAGE_LEN)
            return wrong(walk, page->number, "has nodes in wrong places");
        due += node_len((const struct node *)((const uint8_t *)page + places[i]), is_leaf);
    }
    return due == PAGE_LEN || wrong(walk, page->number, "has nodes of wrong lengths");
}

/* ---- keys ---- */

static int compare_keys(const struct level *level, struct enc_bytes a, struct enc_bytes b)
{
    if (level->is_free) {
        uint64_t one, two;
        memcpy(&one, a.data, sizeof one);
        memcpy(&two, b.data, sizeof two);
        return (one > two) - (one < two);
    }
    int order = memcmp(a.data, b.data, a.len < b.len ? a.len : b.len);
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

static struct enc_bytes key_of(const struct node *node)
{
    return enc_bytes_of(node->bytes, node->key_len);
}

/* What a page's keys lie between; data NULL: no bound. */
struct bounds {
    struct enc_bytes low;
    struct enc_bytes high;
};

static bool has_order(const struct level *level, const struct page *page, struct bounds bounds)
{
    struct enc_bytes last = bounds.low;
    for (size_t i = page->flags == IS_BRANCH; i < node_count(page); i++) {
        struct enc_bytes key = key_of(node_at(page, i));
        bool is_first = i == 0 || (i == 1 && page->flags == IS_BRANCH);
        if (key.len == 0 || (level->is_free && key.len != sizeof(uint64_t)))
            return wrong(level->walk, page->number, "has a key of a wrong length");
        int order = last.data ? compare_keys(level, last, key) : -1;
        if (order > 0 || (order == 0 && !(is_first && page->flags == IS_LEAF)))
            return wrong(level->walk, page->number, "has keys in a wrong order");
        last = key;
    }
    return !bounds.high.data || !last.data || compare_keys(level, last, bounds.high) < 0 ||
           wrong(level->walk, page->number, "has keys in a wrong order");
}

/* ---- values ---- */

static bool walk_tree(struct walk *walk, const struct tree *tree, bool is_free, bool is_main);

static bool walk_overflow(struct level *level, const uint8_t **value, const struct node *node)
{
    uint64_t first;
    struct walk *walk = level->walk;
    memcpy(&first, node->bytes + node->key_len, sizeof first);
    uint64_t count = (sizeof(struct page) - 1 + value_len(node)) / PAGE_LEN + 1;
    if (!own(walk, first, count))
        return false;
    const struct page *page = page_at(walk, first, IS_OVERFLOW);
    if (!page)
        return false;
    if ((page->lower | (uint64_t)page->upper << 16) != count)
        return wrong(walk, first, "is another number of pages");
    if (first + count > walk->page_count)
        return wrong(walk, first, "goes on behind the end of the file");
    level->seen.overflows += count;
    *value = (const uint8_t *)(page + 1);
    return true;
}

/* The engine keeps such a list in falling order. */
static bool take_free(struct level *level, uint64_t page, struct enc_bytes value)
{
    uint64_t count = 0;
    uint64_t last = NO_PAGE;
    if (value.len >= sizeof count)
        memcpy(&count, value.data, sizeof count);
    if (value.len < sizeof count || count == 0 || count > value.len / sizeof count - 1)
        return wrong(level->walk, page, "has a list of another length");
    for (uint64_t i = 1; i <= count; i++) {
        uint64_t number;
        memcpy(&number, value.data + i * sizeof number, sizeof number);
        if (number >= last)
            return wrong(level->walk, page, "has a list in a wrong order");
        if (!own(level->walk, number, 1))
            return false;
        last = number;
    }
    return true;
}

static bool take_tree(struct level *level, uint64_t page, const struct node *node)
{
    struct tree tree;
    struct walk *walk = level->walk;
    if (node->flags != NODE_IS_TREE || value_len(node) != sizeof tree)
        return wrong(walk, page, "has a table that is none");
    memcpy(&tree, node->bytes + node->key_len, sizeof tree);
    snprintf(walk->tree, sizeof walk->tree, "%.*s", node->key_len, (const char *)node->bytes);
    bool is_good = walk_tree(walk, &tree, false, false);
    walk->tree[0] = '\0';
    return is_good;
}

static bool take_value(struct level *level, uint64_t page, const struct node *node)
{
    const uint8_t *value = node->bytes + node->key_len;
    level->seen.entries++;
    if (level->is_main)
        return take_tree(level, page, node);
    if (node->flags & ~(unsigned)NODE_IS_BIG)
        return wrong(level->walk, page, "has a node of another kind");
    if ((node->flags & NODE_IS_BIG) && !walk_overflow(level, &value, node))
        return false;
    return !level->is_free || take_free(level, page, enc_bytes_of(value, value_len(node)));
}

/* ---- trees ---- */

static bool walk_page(struct level *level, uint64_t number, unsigned depth, struct bounds bounds);

/* All of a table's pages are looked at, whatever is wrong with one. */
static bool walk_children(struct level *level, const struct page *page, unsigned depth,
                          struct bounds bounds)
{
    bool is_good = true;
    size_t count = node_count(page);
    for (size_t i = 0; i < count; i++) {
        struct bounds below = bounds;
        if (i > 0)
            below.low = key_of(node_at(page, i));
        if (i + 1 < count)
            below.high = key_of(node_at(page, i + 1));
        is_good = walk_page(level, child_of(node_at(page, i)), depth + 1, below) && is_good;
    }
    return is_good;
}

static bool walk_page(struct level *level, uint64_t number, unsigned depth, struct bounds bounds)
{
    struct walk *walk = level->walk;
    bool is_leaf = depth == level->depth;
    if (!own(walk, number, 1))
        return false;
    const struct page *page = page_at(walk, number, is_leaf ? IS_LEAF : IS_BRANCH);
    if (!page || !has_nodes(walk, page) || !has_order(level, page, bounds))
        return false;
    level->seen.leaves += is_leaf;
    level->seen.branches += !is_leaf;
    if (!is_leaf)
        return walk_children(level, page, depth, bounds);
    bool is_good = true;
    for (size_t i = 0; i < node_count(page); i++)
        is_good = take_value(level, number, node_at(page, i)) && is_good;
    return is_good;
}

static bool walk_tree(struct walk *walk, const struct tree *tree, bool is_free, bool is_main)
{
    struct level level = {
        .walk = walk, .depth = tree->depth, .is_free = is_free, .is_main = is_main};
    bool is_empty = tree->root == NO_PAGE;
    if (tree->depth > DEPTH_MAX || is_empty != (tree->depth == 0) ||
        tree->flags != (is_free ? MDB_INTEGERKEY : 0))
        return wrong(walk, tree->root, "is the root of a tree that does not say what it is");
    if (!is_empty && !walk_page(&level, tree->root, 1, (struct bounds){.low = {NULL, 0}}))
        return false;
    return (level.seen.branches == tree->branches && level.seen.leaves == tree->leaves &&
            level.seen.overflows == tree->overflows && level.seen.entries == tree->entries) ||
           wrong(walk, tree->root, "is the root of a tree that counts itself wrongly");
}

/* ---- the file ---- */

static const struct meta *meta_at(const struct walk *walk, uint64_t number)
{
    return (const struct meta *)(walk->bytes + number * PAGE_LEN + sizeof(struct page));
}

static bool is_meta(struct walk *walk, uint64_t number)
{
    const struct meta *meta = meta_at(walk, number);
    if (!page_at(walk, number, IS_META))
        return false;
    return (meta->magic == MAGIC && meta->format == FORMAT && meta->trees[0].pad == PAGE_LEN &&
            meta->address == 0) ||
           wrong(walk, number, "is no first page");
}

/* The two take turns, so each tells whether the other may be the newer one. */
static bool choose_meta(struct walk *walk)
{
    const struct meta *metas[2] = {meta_at(walk, 0), meta_at(walk, 1)};
    uint64_t newest = metas[0]->txn_id < metas[1]->txn_id;
    uint64_t ids[2] = {metas[!newest]->txn_id, metas[newest]->txn_id};
    walk->meta = metas[newest];
    if ((ids[1] & 1) != newest || ids[1] - ids[0] > 1)
        return wrong(walk, newest, "is of another transaction than it can be");
    return walk->meta->last_page >= 1 && walk->meta->last_page < INT_MAX
               ? true
               : wrong(walk, newest, "names another last page");
}

static void check_owners(struct walk *walk)
{
    for (uint64_t i = 2; i <= walk->meta->last_page; i++)
        if (walk->owners[i] == 0) {
            wrong(walk, i, "is in no tree and not free");
            return;
        }
}

static void walk_file(struct walk *walk)
{
    if (walk->page_count < 2) {
        wrong(walk, 0, "is missing");
        return;
    }
    bool is_first = is_meta(walk, 0);
    if (!is_meta(walk, 1) || !is_first || !choose_meta(walk))
        return;
    walk->owners = (uint8_t *)calloc(walk->meta->last_page + 1, 1);
    ENC_CHECK(walk->owners != NULL);
    bool is_good = walk_tree(walk, &walk->meta->trees[1], false, true);
    snprintf(walk->tree, sizeof walk->tree, "free");
    is_good = walk_tree(walk, &walk->meta->trees[0], true, false) && is_good;
    walk->tree[0] = '\0';
    if (is_good)
        check_owners(walk);
    free(walk->owners);
}

static enum enc_store_fault map_file(struct walk *walk, struct enc_store_note *note,
                                     const char *path)
{
    struct stat facts;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool is_read = fd >= 0 && fstat(fd, &facts) == 0;
    size_t len = is_read ? (size_t)facts.st_size : 0;
    void *map = len ? mmap(NULL, len, PROT_READ, MAP_PRIVATE, fd, 0) : NULL;
    int kept = errno;
    if (fd >= 0)
        close(fd);
    if (!is_read || map == MAP_FAILED)
        return enc_note(note, ENC_STORE_FAULT_ENGINE, "%s: %s", path, strerror(kept));
    walk->bytes = (const uint8_t *)map;
    walk->page_count = len / PAGE_LEN;
    walk_file(walk);
    if (len)
        munmap(map, len);
    return ENC_STORE_FAULT_NONE;
}

static enum enc_store_fault check_all(struct walk *walk, struct enc_store_note *note,
                                      const struct enc_dir *dir)
{
    uint32_t count = 0;
    char path[PATH_MAX];
    enum enc_store_fault fault = enc_dir_version(dir, note, &count);
    for (uint32_t i = 0; i < count && !fault; i++) {
        walk->flaw.shard = i;
        int len = snprintf(path, sizeof path, "%s/shard-%u/data.mdb", dir->path, i);
        fault = len < (int)sizeof path
                    ? map_file(walk, note, path)
                    : enc_note(note, ENC_STORE_FAULT_DIRECTORY, "%s: too long", dir->path);
    }
    return fault;
}

enum enc_store_fault enc_data_check_pages(struct enc_store_note *note, uint64_t *flaw_count,
                                          const char *dir, enc_page_found *found, void *opaque)
{
    struct enc_dir entered;
    struct walk walk = {.found = found, .opaque = opaque};
    enum enc_store_fault fault = enc_dir_enter(&entered, note, dir);
    if (!fault)
        fault = check_all(&walk, note, &entered);
    enc_dir_leave(&entered);
    *flaw_count = walk.flaw_count;
    return fault;
}
