/*
 * search [POSTS]
 *
 * Makes posts of about 140 characters, default 1000000, from a vocabulary with Zipf's frequencies; folds and indexes
 * them in memory; then searches from the newest post to the oldest until 50 posts hold the query. Prints what indexing
 * costs and what each kind of query does.
 */
#include "proto/fold.h"
#include "proto/grams.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    WORDS = 50000,
    WORD_LEN_MAX = 24,
    POST_LEN = 140,
    POST_LEN_MAX = 4 * POST_LEN,
    MEMORY_LEN = 8 << 20,
    HITS_MAX = 50,
    ROUNDS = 5,
    RARE_EVERY = 90001, /* posts from one rare word to the next */
};

struct indexed {
    struct enc_bytes block;
    size_t first; /* post */
};

struct corpus {
    struct enc_bytes *posts; /* folded */
    size_t count;
    struct indexed *blocks;
    size_t block_count;
    size_t text_len;
    size_t index_len;
    double fold_us, build_us;
};

struct tally {
    size_t blocks, candidates, hits;
};

static char words[WORDS][WORD_LEN_MAX];
static double weights[WORDS]; /* running sum */

static const char *const FREQUENT[] = {
    "the",   "of",      "and",   "to",    "a",    "in",    "that",  "is",    "was",   "he",
    "for",   "it",      "with",  "as",    "his",  "on",    "be",    "at",    "by",    "I",
    "this",  "had",     "not",   "are",   "but",  "from",  "or",    "have",  "an",    "they",
    "which", "one",     "you",   "were",  "her",  "all",   "she",   "there", "would", "their",
    "we",    "him",     "been",  "has",   "when", "who",   "will",  "more",  "no",    "if",
    "out",   "so",      "said",  "what",  "up",   "its",   "about", "into",  "than",  "them",
    "can",   "only",    "other", "new",   "some", "could", "time",  "these", "two",   "may",
    "then",  "do",      "first", "any",   "my",   "now",   "such",  "like",  "our",   "over",
    "man",   "me",      "even",  "most",  "made", "after", "also",  "did",   "many",  "before",
    "must",  "through", "years", "where", "much", "your",  "way",   "well",  "down",  "should",
};
static const char *const ONSETS[] = {"b", "c", "d", "f",  "g",  "h",  "l",  "m",  "n",  "p",
                                     "r", "s", "t", "st", "tr", "pr", "ch", "th", "w",  "v",
                                     "",  "",  "k", "sh", "gr", "br", "qu", "j",  "pl", "cr"};
static const char *const NUCLEI[] = {"a", "e", "i",  "o",  "u",  "e",
                                     "a", "i", "ea", "ou", "ai", "io"};
static const char *const CODAS[] = {"",   "",  "",   "n",   "r",   "s",  "t",  "l",  "nd",
                                    "st", "m", "ng", "ent", "ion", "er", "ly", "ed", "ck"};

#define COUNT(array) (sizeof(array) / sizeof *(array))

static uint64_t next_random(void)
{
    static uint64_t state = 0x9e3779b97f4a7c15;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static double next_unit(void)
{
    return (double)(next_random() >> 11) / 9007199254740992.0;
}

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static double us_since(uint64_t start_ns)
{
    return (double)(now_ns() - start_ns) / 1e3;
}

/* ---- posts ---- */

static void make_word(char out[WORD_LEN_MAX])
{
    out[0] = 0;
    for (size_t syllables = 1 + next_random() % 3; syllables > 0; syllables--) {
        size_t len = strlen(out);
        snprintf(out + len, WORD_LEN_MAX - len, "%s%s%s", ONSETS[next_random() % COUNT(ONSETS)],
                 NUCLEI[next_random() % COUNT(NUCLEI)], CODAS[next_random() % COUNT(CODAS)]);
    }
}

static void make_words(void)
{
    double sum = 0;
    for (size_t i = 0; i < WORDS; i++) {
        if (i < COUNT(FREQUENT))
            snprintf(words[i], WORD_LEN_MAX, "%s", FREQUENT[i]);
        else
            make_word(words[i]);
        weights[i] = sum += 1 / ((double)i + 2.7);
    }
}

static const char *next_word(void)
{
    double want = next_unit() * weights[WORDS - 1];
    size_t low = 0, high = WORDS - 1;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (weights[middle] < want)
            low = middle + 1;
        else
            high = middle;
    }
    return words[low];
}

static struct enc_bytes make_post(char out[POST_LEN_MAX], size_t number)
{
    size_t want = POST_LEN / 2 + next_random() % POST_LEN, len = 0;
    if (number % RARE_EVERY == RARE_EVERY / 2)
        len += (size_t)sprintf(out, "Rhododendron ");
    while (len < want)
        len += (size_t)sprintf(out + len, "%s%s", next_word(), next_random() % 12 ? " " : ", ");
    out[0] = (char)(out[0] - (out[0] >= 'a' && out[0] <= 'z' ? 32 : 0));
    if (next_random() % 8 == 0)
        len += (size_t)sprintf(out + len, "\xf0\x9f\x99\x82");
    return enc_bytes_of(out, len);
}

/* ---- index ---- */

static void *need(void *memory)
{
    if (!memory) {
        fputs("out of memory\n", stderr);
        exit(1);
    }
    return memory;
}

static struct enc_bytes keep(struct enc_bytes bytes)
{
    return enc_bytes_of(memcpy(need(malloc(bytes.len + 1)), bytes.data, bytes.len), bytes.len);
}

static void make_posts(struct corpus *corpus, void *memory)
{
    char post[POST_LEN_MAX];
    for (size_t i = 0; i < corpus->count; i++) {
        struct enc_arena arena;
        struct enc_bytes folded, raw = make_post(post, i);
        enc_arena_init_fixed(&arena, memory, MEMORY_LEN);
        uint64_t start_ns = now_ns();
        ENC_CHECK(enc_fold(&folded, &arena, raw) == ENC_ERR_OK);
        corpus->fold_us += us_since(start_ns);
        corpus->posts[i] = keep(folded);
        corpus->text_len += folded.len;
    }
}

/* A block of the posts from first on; the number of the post behind it. */
static size_t make_block(struct corpus *corpus, size_t first, void *memory)
{
    struct enc_arena arena;
    struct enc_grams grams;
    struct enc_bytes block;
    size_t at = first;
    enc_arena_init_fixed(&arena, memory, MEMORY_LEN);
    uint64_t start_ns = now_ns();
    ENC_CHECK(enc_grams_begin(&grams, &arena) == ENC_ERR_OK);
    while (at < corpus->count && enc_grams_add(&grams, corpus->posts[at]))
        at++;
    ENC_CHECK(enc_grams_finish(&block, &grams) == ENC_ERR_OK);
    corpus->build_us += us_since(start_ns);
    corpus->blocks[corpus->block_count++] = (struct indexed){keep(block), first};
    corpus->index_len += block.len;
    return at;
}

static void make_corpus(struct corpus *out, size_t count)
{
    void *memory = need(aligned_alloc(16, MEMORY_LEN));
    *out = (struct corpus){
        .posts = (struct enc_bytes *)need(calloc(count, sizeof *out->posts)),
        .count = count,
        .blocks = (struct indexed *)need(calloc(count, sizeof *out->blocks)),
    };
    make_posts(out, memory);
    for (size_t at = 0; at < count;)
        at = make_block(out, at, memory);
    free(memory);
}

static void tell_corpus(const struct corpus *corpus)
{
    double count = (double)corpus->count, blocks = (double)corpus->block_count;
    printf("%zu posts, %.1f bytes of text each, %zu blocks\n", corpus->count,
           (double)corpus->text_len / count, corpus->block_count);
    printf("fold %.3f us/post   build %.3f us/post, %.3f ms/block   index %.2f bytes per byte of "
           "text\n",
           corpus->fold_us / count, corpus->build_us / count, corpus->build_us / blocks / 1e3,
           (double)corpus->index_len / (double)corpus->text_len);
}

/* ---- queries ---- */

static void search_block(struct tally *tally, const struct corpus *corpus,
                         const struct indexed *indexed, struct enc_bytes query)
{
    struct enc_grams_docs docs;
    ENC_CHECK(enc_grams_find(&docs, indexed->block, query) == ENC_ERR_OK);
    tally->blocks++;
    for (size_t i = docs.count; i-- > 0 && tally->hits < HITS_MAX;) {
        tally->candidates++;
        tally->hits += enc_fold_contains(corpus->posts[indexed->first + docs.docs[i]], query);
    }
}

static struct tally search(const struct corpus *corpus, struct enc_bytes query)
{
    struct tally tally = {0};
    for (size_t i = corpus->block_count; i-- > 0 && tally.hits < HITS_MAX;)
        search_block(&tally, corpus, &corpus->blocks[i], query);
    return tally;
}

static void tell_query(const struct corpus *corpus, const char *kind, const char *text)
{
    struct tally tally = {0};
    double first_us = 0, best_us = 0;
    for (size_t round = 0; round < ROUNDS; round++) {
        uint64_t start_ns = now_ns();
        tally = search(corpus, enc_bytes_of_text(text));
        double us = us_since(start_ns);
        first_us = round ? first_us : us;
        best_us = round && best_us < us ? best_us : us;
    }
    printf("%-30s %10.1f us %10.1f us %7.3f us/block %6zu blocks %6zu candidates %3zu hits\n", kind,
           first_us, best_us, best_us / (double)tally.blocks, tally.blocks, tally.candidates,
           tally.hits);
}

int main(int argc, char **argv)
{
    struct corpus corpus;
    make_words();
    make_corpus(&corpus, argc > 1 ? strtoul(argv[1], NULL, 10) : 1000000);
    tell_corpus(&corpus);
    printf("%-30s %13s %13s\n", "query", "first", "best");
    tell_query(&corpus, "frequent word", "which");
    tell_query(&corpus, "rare word", "rhododendron");
    tell_query(&corpus, "absent, frequent grams", "with that from have this they");
    tell_query(&corpus, "absent, rare grams", "zyxwvutsrqp");
    tell_query(&corpus, "one letter", "e");
    tell_query(&corpus, "one letter, absent", "\xd0\xb6");
    return 0;
}
