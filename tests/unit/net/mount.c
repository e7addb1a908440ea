#include "net/mount.h"

#include "net/config.h"

#include <criterion/criterion.h>

/* Mounts as they will be with all four services; the build may know fewer. */
static struct enc_mounts four(void)
{
    struct enc_mounts mounts = {.count = 4};
    static const char *const TEXTS[] = {"/", "/registry", "/chat", "/timeline"};
    for (size_t i = 0; i < 4; i++)
        mounts.paths[i] = TEXTS[i];
    return mounts;
}

struct walk {
    const char *path;
    unsigned service;
    const char *below;
};
static const struct walk WALKS[] = {
    {"/", 0, "/"},
    {"/info/node", 0, "/info/node"},
    {"/chat", 2, "/"},
    {"/chat/", 2, "/"},
    {"/chat/enclave/x", 2, "/enclave/x"},
    {"/chatter", 0, "/chatter"},
    {"/registry/nodes", 1, "/nodes"},
    {"/timelin", 0, "/timelin"},
    {"/timeline/user/1", 3, "/user/1"},
};

Test(mount, the_longest_mount_on_a_segment_wins)
{
    struct enc_mounts mounts = four();
    for (size_t i = 0; i < sizeof WALKS / sizeof *WALKS; i++) {
        struct enc_mount_place place;
        cr_assert(enc_mounts_find(&mounts, &place, enc_bytes_of_text(WALKS[i].path)));
        cr_assert_eq(place.service, WALKS[i].service, "%s", WALKS[i].path);
        cr_assert(enc_bytes_is(place.path, WALKS[i].below), "%s", WALKS[i].path);
    }
}

Test(mount, what_is_not_served_is_not_found)
{
    struct enc_mounts mounts = four();
    struct enc_mount_place place;
    mounts.paths[0] = NULL;
    cr_assert_not(enc_mounts_find(&mounts, &place, ENC_LIT("/info/node")));
    cr_assert(enc_mounts_find(&mounts, &place, ENC_LIT("/chat/x")));
}

Test(mount, enc_node_is_at_the_root_unless_left_out)
{
    struct enc_mounts mounts;
    struct enc_config_list nothing = {NULL, 0};
    char *names[] = {"another"};
    struct enc_config_list another = {names, 1};
    enc_mounts_init(&mounts, &nothing);
    cr_assert_str_eq(mounts.paths[0], "/");
    enc_mounts_init(&mounts, &another);
    cr_assert_null(mounts.paths[0]);
}
