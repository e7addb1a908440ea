#include "net/mount.h"

#include "net/config.h"

#include <criterion/criterion.h>

static const struct enc_config_list NO_HOSTS = {NULL, 0};

/* Mounts as they are with all four services at their paths. */
static struct enc_mounts four(void)
{
    struct enc_mounts mounts = {.count = 4};
    static const char *const TEXTS[] = {"/", "/registry", "/chat", "/timeline"};
    for (size_t i = 0; i < 4; i++) {
        mounts.paths[i] = TEXTS[i];
        mounts.hosts[i] = &NO_HOSTS;
    }
    return mounts;
}

static bool find(const struct enc_mounts *mounts, struct enc_mount_place *place,
                 const char *authority, const char *path)
{
    struct enc_mount_query query = {enc_bytes_of_text(authority), enc_bytes_of_text(path)};
    return enc_mounts_find(mounts, place, &query);
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
        cr_assert(find(&mounts, &place, "localhost:8080", WALKS[i].path));
        cr_assert_eq(place.service, WALKS[i].service, "%s", WALKS[i].path);
        cr_assert(enc_bytes_is(place.path, WALKS[i].below), "%s", WALKS[i].path);
    }
}

Test(mount, what_is_not_served_is_not_found)
{
    struct enc_mounts mounts = four();
    struct enc_mount_place place;
    mounts.paths[0] = NULL;
    cr_assert_not(find(&mounts, &place, "localhost", "/info/node"));
    cr_assert(find(&mounts, &place, "localhost", "/chat/x"));
}

/* ---- hosts ---- */

static char *CHAT_NAMES[] = {"chat.example.org", "Talk.Example.org", "[::1]"};
static const struct enc_config_list CHAT_HOSTS = {CHAT_NAMES, 3};

static struct enc_mounts chat_by_host(void)
{
    struct enc_mounts mounts = four();
    mounts.paths[2] = "//chat.example.org/";
    mounts.hosts[2] = &CHAT_HOSTS;
    return mounts;
}

static const struct {
    const char *authority;
    bool is_chat;
} AUTHORITIES[] = {
    {"chat.example.org", true},
    {"chat.example.org:8080", true},
    {"CHAT.EXAMPLE.ORG", true},
    {"talk.example.org:1", true},
    {"[::1]", true},
    {"[::1]:8080", true},
    {"chat.example.org:", true},
    {"", false},
    {":8080", false},
    {"example.org", false},
    {"chat.example.org.evil", false},
    {"xchat.example.org", false},
    {"chat.example.or", false},
    {"chat.example.org:80x", false},
    {"::1", false},
    {"8080", false},
};

Test(mount, a_host_stands_for_its_service_without_port_in_either_case)
{
    struct enc_mounts mounts = chat_by_host();
    for (size_t i = 0; i < sizeof AUTHORITIES / sizeof *AUTHORITIES; i++) {
        struct enc_mount_place place;
        cr_assert(find(&mounts, &place, AUTHORITIES[i].authority, "/enclave/x"));
        cr_assert_eq(place.service, AUTHORITIES[i].is_chat ? 2 : 0, "%s", AUTHORITIES[i].authority);
        cr_assert(enc_bytes_is(place.path, "/enclave/x"));
    }
}

Test(mount, a_service_with_hosts_has_no_path)
{
    struct enc_mounts mounts = chat_by_host();
    struct enc_mount_place place;
    cr_assert(find(&mounts, &place, "localhost", "/chat/x"));
    cr_assert_eq(place.service, 0, "the root's, and unknown to it");
    cr_assert(enc_bytes_is(place.path, "/chat/x"));
    cr_assert(find(&mounts, &place, "chat.example.org", "/registry/nodes"));
    cr_assert_eq(place.service, 2, "no other service is there");
    cr_assert(enc_bytes_is(place.path, "/registry/nodes"));
    cr_assert(find(&mounts, &place, "chat.example.org", "/"));
    cr_assert(enc_bytes_is(place.path, "/"));
}

Test(mount, hosts_of_what_is_not_served_are_any_hosts)
{
    struct enc_mounts mounts = chat_by_host();
    struct enc_mount_place place;
    mounts.paths[2] = NULL;
    cr_assert(find(&mounts, &place, "chat.example.org", "/x"));
    cr_assert_eq(place.service, 0);
}

Test(mount, enc_node_with_hosts_leaves_the_root)
{
    struct enc_mounts mounts = four();
    struct enc_mount_place place;
    mounts.hosts[0] = &CHAT_HOSTS;
    cr_assert_not(find(&mounts, &place, "localhost", "/info/node"));
    cr_assert(find(&mounts, &place, "chat.example.org", "/registry/nodes"));
    cr_assert_eq(place.service, 0);
}

/* ---- from a configuration ---- */

Test(mount, enc_node_is_at_the_root_unless_left_out)
{
    struct enc_mounts mounts;
    struct enc_config config;
    char *names[] = {"another"};
    enc_config_init(&config);
    enc_mounts_init(&mounts, &config);
    cr_assert_str_eq(mounts.paths[0], "/");
    config.services = (struct enc_config_list){names, 1};
    enc_mounts_init(&mounts, &config);
    cr_assert_null(mounts.paths[0]);
    config.services = NO_HOSTS;
    enc_config_fini(&config);
}

Test(mount, the_text_of_a_mount_is_a_reference)
{
    struct enc_mounts mounts;
    struct enc_config config;
    size_t last = enc_service_count() - 1;
    enc_config_init(&config);
    config.hosts[last] = CHAT_HOSTS;
    enc_mounts_init(&mounts, &config);
    cr_assert_str_eq(mounts.paths[last], "//chat.example.org/");
    for (size_t i = 1; i < last; i++)
        cr_assert_str_eq(mounts.paths[i] + 1, enc_service_at(i)->name);
    config.hosts[last] = NO_HOSTS;
    enc_config_fini(&config);
}

Test(mount, longest_names_fit)
{
    static char name[ENC_MOUNT_HOST_LEN_MAX + 2];
    memset(name, 'a', sizeof name - 1);
    cr_assert_not(enc_mount_host_is_valid(name));
    name[ENC_MOUNT_HOST_LEN_MAX] = '\0';
    cr_assert(enc_mount_host_is_valid(name));
    char *names[] = {name};
    struct enc_config config;
    struct enc_mounts mounts;
    enc_config_init(&config);
    config.hosts[0] = (struct enc_config_list){names, 1};
    enc_mounts_init(&mounts, &config);
    cr_assert_eq(strlen(mounts.paths[0]), ENC_MOUNT_HOST_LEN_MAX + 3);
    config.hosts[0] = NO_HOSTS;
    enc_config_fini(&config);
}
