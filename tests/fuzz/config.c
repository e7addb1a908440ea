/* The configuration: an input is a file, and behind a NUL each a variable of the environment or a
 * flag. What is accepted is printed, the print is accepted as a file, and every value of it is the
 * same; one value means the same to the file, the environment and a flag. */
#include "net/config.h"
#include "net/config_row.h"

#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { WORDS_MAX = 16, TEXT_LEN_MAX = 1 << 20 };

struct words {
    char *argv[WORDS_MAX + 3];
    char *environ_kv[WORDS_MAX + 1];
    int argc;
};

/* ---- a file without a disk ---- */

static const char *file_of(struct enc_bytes text)
{
    static char path[32];
    static int fd = -1;
    if (fd < 0)
        fd = memfd_create("config", MFD_CLOEXEC);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    ENC_CHECK(fd >= 0 && ftruncate(fd, 0) == 0);
    ENC_CHECK(pwrite(fd, text.data, text.len, 0) == (ssize_t)text.len);
    return path;
}

static bool load(struct enc_config *config, struct enc_bytes file, struct words *words)
{
    static char config_flag[] = "--config";
    struct enc_config_fault fault;
    enum enc_config_action action = ENC_CONFIG_RUN;
    words->argv[words->argc] = config_flag;
    words->argv[words->argc + 1] = (char *)(uintptr_t)file_of(file);
    struct enc_config_sources sources = {words->argc + 2, words->argv, words->environ_kv};
    enc_config_init(config);
    bool is_good = enc_config_load(config, &action, &fault, &sources);
    ENC_CHECK(is_good == (fault.count == 0));
    ENC_CHECK(is_good || fault.text[0]);
    return is_good && action <= ENC_CONFIG_PRINT;
}

/* ---- printed and read again ---- */

static struct enc_bytes print(const struct enc_config *config)
{
    static char text[TEXT_LEN_MAX];
    FILE *kept = stdout;
    stdout = fmemopen(text, sizeof text, "w");
    ENC_CHECK(stdout != NULL);
    enc_config_answer(config, ENC_CONFIG_PRINT);
    long len = ftell(stdout);
    fclose(stdout);
    stdout = kept;
    ENC_CHECK(len > 0 && len < TEXT_LEN_MAX);
    return enc_bytes_of(text, (size_t)len);
}

static bool same_list(const struct enc_config_list *a, const struct enc_config_list *b)
{
    bool is_same = a->count == b->count;
    for (size_t i = 0; is_same && i < a->count; i++)
        is_same = strcmp(a->items[i], b->items[i]) == 0;
    return is_same;
}

static void compare(const struct enc_config *a, const struct enc_config *b)
{
    static char one[ENC_CONFIG_VALUE_MAX + 1], other[ENC_CONFIG_VALUE_MAX + 1];
    const struct enc_config_row *rows;
    size_t count = enc_config_rows(&rows);
    for (size_t i = 0; i < count; i++) {
        const struct enc_config_list *list = enc_config_items(a, &rows[i]);
        enc_config_get(a, one, sizeof one, &rows[i]);
        enc_config_get(b, other, sizeof other, &rows[i]);
        ENC_CHECK(list ? same_list(list, enc_config_items(b, &rows[i])) : strcmp(one, other) == 0);
    }
}

static void read_print(const struct enc_config *config)
{
    struct enc_config again;
    struct words nothing = {.argv = {"enclaved"}, .argc = 1};
    ENC_CHECK(load(&again, print(config), &nothing));
    compare(config, &again);
    enc_config_fini(&again);
}

/* ---- one value, three ways ---- */

static void compare_sources(const struct enc_config_row *row, const char *text)
{
    struct enc_config config, by_flag;
    char name[ENC_CONFIG_KEY_MAX], variable[ENC_CONFIG_KEY_MAX + ENC_CONFIG_VALUE_MAX];
    char *flag = (char *)(uintptr_t)row->flag, *value = (char *)(uintptr_t)text;
    enc_config_env_name(name, row);
    if (!flag || row->type == ENC_CONFIG_LIST || strlen(text) >= ENC_CONFIG_VALUE_MAX)
        return;
    snprintf(variable, sizeof variable, "%s=%s", name, text);
    struct words by_name = {.argv = {"enclaved"}, .argc = 1, .environ_kv = {variable}};
    struct words words = {.argv = {"enclaved", flag, value}, .argc = 3};
    bool is_good = load(&config, ENC_LIT(""), &by_name);
    ENC_CHECK(load(&by_flag, ENC_LIT(""), &words) == is_good);
    if (is_good)
        compare(&config, &by_flag);
    enc_config_fini(&config);
    enc_config_fini(&by_flag);
}

/* ---- the whole ---- */

/* What is behind the file: words that begin with '-' and what follows them are flags. */
static void split(struct words *words, char *at, const char *end)
{
    unsigned variables = 0;
    *words = (struct words){.argv = {"enclaved"}, .argc = 1};
    for (unsigned i = 0; at < end && i < WORDS_MAX; i++, at += strlen(at) + 1) {
        bool is_variable = strncmp(at, "ENCLAVED_", 9) == 0 && strncmp(at + 9, "CONFIG=", 7) != 0;
        if (is_variable)
            words->environ_kv[variables++] = at;
        else if (strncmp(at, "--config", 8) != 0 && strncmp(at, "ENCLAVED_", 9) != 0)
            words->argv[words->argc++] = at;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct enc_config config;
    struct words words;
    const struct enc_config_row *rows;
    char *copy = (char *)calloc(1, len + 1);
    ENC_CHECK(copy != NULL);
    if (len)
        memcpy(copy, data, len);
    size_t file_len = strlen(copy);
    split(&words, copy + file_len + 1, copy + len);
    if (load(&config, enc_bytes_of(copy, file_len), &words))
        read_print(&config);
    enc_config_fini(&config);
    size_t count = enc_config_rows(&rows);
    if (len > 1 && len < 64)
        compare_sources(&rows[data[0] % count], copy + 1);
    free(copy);
    return 0;
}
