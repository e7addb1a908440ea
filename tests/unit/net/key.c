#include "net/key.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];

static void make_folder(void)
{
    strcpy(folder, "/tmp/enclaved-key-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
}

static void remove_folder(void)
{
    char path[128];
    snprintf(path, sizeof path, "%s/node.key", folder);
    unlink(path);
    rmdir(folder);
}

TestSuite(key, .init = make_folder, .fini = remove_folder);

static bool load(uint8_t priv32[32], struct enc_key_fault *fault)
{
    char path[128];
    snprintf(path, sizeof path, "%s/node.key", folder);
    return enc_key_load(priv32, fault, path);
}

static void write_key(const char *text, mode_t mode)
{
    char path[128];
    snprintf(path, sizeof path, "%s/node.key", folder);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    cr_assert(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    cr_assert_eq(fchmod(fd, mode), 0);
    close(fd);
}

Test(key, is_made_once_and_read_again)
{
    uint8_t first[32], second[32];
    struct enc_key_fault fault;
    cr_assert(load(first, &fault), "%s", fault.text);
    cr_assert(load(second, &fault), "%s", fault.text);
    cr_assert_arr_eq(first, second, 32);
}

#define DIGITS "00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF"

Test(key, digits_may_end_in_one_line_end)
{
    static const char *const GOOD[] = {DIGITS, DIGITS "\n", DIGITS "\r\n"};
    static const char *const BAD[] = {"",         DIGITS "0",  DIGITS "\n\n", DIGITS " ",
                                      " " DIGITS, DIGITS "\r", "0x" DIGITS};
    uint8_t priv32[32];
    struct enc_key_fault fault;
    for (size_t i = 0; i < sizeof GOOD / sizeof *GOOD; i++) {
        write_key(GOOD[i], 0600);
        cr_assert(load(priv32, &fault), "%s", fault.text);
        cr_assert_eq(priv32[1], 0x11);
    }
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        write_key(BAD[i], 0600);
        cr_assert_not(load(priv32, &fault), "%zu", i);
    }
}

Test(key, others_may_not_even_read_it)
{
    uint8_t priv32[32];
    struct enc_key_fault fault;
    for (mode_t bit = 1; bit <= 040; bit <<= 1) {
        write_key(DIGITS, 0600 | bit);
        cr_assert_not(load(priv32, &fault), "%o", bit);
        cr_assert_null(strstr(fault.text, "0011"));
    }
}

Test(key, what_root_gave_a_group_may_be_read_by_it)
{
    static const struct {
        uid_t owner;
        mode_t mode;
        bool is_good;
    } CASES[] = {
        {7, 0600, true},  {7, 0400, true},  {7, 0440, false}, {7, 0604, false}, {0, 0440, true},
        {0, 0640, true},  {0, 0400, true},  {0, 0444, false}, {0, 0660, false}, {0, 0450, false},
        {0, 0442, false}, {8, 0600, false}, {8, 0440, false}, {8, 0644, false},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct stat info = {.st_uid = CASES[i].owner, .st_mode = S_IFREG | CASES[i].mode};
        cr_expect_eq(enc_key_check_mode(&info, 7) == NULL, CASES[i].is_good, "%zu", i);
    }
    struct stat folder_of_ours = {.st_uid = 7, .st_mode = S_IFDIR | 0700};
    cr_expect_not_null(enc_key_check_mode(&folder_of_ours, 7));
}
