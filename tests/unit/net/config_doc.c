#include "net/config_doc.h"

#include <criterion/criterion.h>
#include <stdio.h>

static unsigned depth_now, keys_seen, groups_seen;

static void enter(void *opaque, const char *name, unsigned depth)
{
    (void)opaque;
    cr_assert_eq(depth, depth_now);
    cr_assert_null(strchr(name, '.'));
    depth_now++;
    groups_seen++;
}

static void key(void *opaque, const struct enc_config_row *row, const char *name, unsigned depth)
{
    (void)opaque;
    size_t len = strlen(row->key);
    cr_assert_eq(depth, depth_now);
    cr_assert_str_eq(row->key + len - strlen(name), name);
    keys_seen++;
}

static void leave(void *opaque, unsigned depth)
{
    (void)opaque;
    depth_now--;
    cr_assert_eq(depth, depth_now);
}

Test(config_doc, every_row_is_visited_once_and_each_group_is_left)
{
    const struct enc_config_row *rows;
    size_t count = enc_config_rows(&rows);
    enc_config_visit(&(struct enc_config_visitor){.enter = enter, .key = key, .leave = leave});
    cr_assert_eq(keys_seen, count);
    cr_assert_eq(depth_now, 0);
    cr_assert_gt(groups_seen, enc_service_count());
}

Test(config_doc, kinds_and_defaults_are_words)
{
    char kind[160], preset[128];
    enc_config_kind(kind, enc_config_row_of_key("limits.mailbox"));
    cr_assert_str_eq(kind, "number from 1 to 1048576");
    enc_config_kind(kind, enc_config_row_of_key("durability"));
    cr_assert_str_eq(kind, "one of commit|os");
    enc_config_default(preset, enc_config_row_of_key("durability"));
    cr_assert_str_eq(preset, "commit");
    enc_config_default(preset, enc_config_row_of_key("limits.body"));
    cr_assert_str_eq(preset, "1048576");
    enc_config_default(preset, enc_config_row_of_key("service"));
    cr_assert_str_eq(preset, "");
}
