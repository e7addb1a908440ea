/* The composition root: the one place that knows every room. Opened from top to bottom, closed in
 * reverse. */
#include "net/config.h"
#include "net/control.h"
#include "net/follow.h"
#include "net/inherit.h"
#include "net/key.h"
#include "net/log.h"
#include "net/privilege.h"
#include "net/process.h"
#include "net/server.h"
#include "net/successor.h"
#include "net/tls.h"
#include "net/usher.h"
#include "net/vault.h"
#include "proto/base/edge.h"
#include "proto/schnorr.h"
#include "proto/selfcheck.h"
#include "store/store.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { PREDECESSOR_STEP_MS = 10, PREDECESSOR_EXTRA_MS = 10000, US_PER_MS = 1000 };
enum { EXIT_CONFIGURATION = 2, GIB_SHIFT = 30 };

/* What lies in the vault. */
struct secrets {
    struct enc_key key; /* the host's, while it runs */
    uint8_t priv32[32]; /* until the host has it */
};

/* What is open, so that a failure half way closes just that. */
struct node {
    struct enc_config config;
    struct enc_config_sources sources;
    struct enc_inherit inherit;
    struct enc_usher usher;
    bool is_successor;
    struct enc_vault vault; /* of struct secrets */
    uint8_t pub32[32];
    struct enc_follow *follows;
    struct enc_data *data;
    struct enc_server *server;
    struct enc_host *host;
};

#define FAIL(symbol, why) fail(ENC_HAPPENED_##symbol, why)
static bool fail(enum enc_happening what, const char *why)
{
    enc_log_write(what, (const struct enc_log_field[]){enc_log_text("why", why), {NULL, NULL, 0}});
    return false;
}

static void tell_unconfined(const char *why)
{
    if (why)
        enc_log(NOT_CONFINED, enc_log_text("why", why));
}

static bool make_data_dir(const struct node *node)
{
    struct enc_store_note note;
    if (enc_data_make_dir(node->config.data, &note) == ENC_STORE_FAULT_NONE)
        return true;
    return FAIL(NO_DIRECTORY, note.text);
}

static bool derive_public(struct node *node)
{
    uint8_t seed32[32];
    struct secrets *secrets = node->vault.room;
    struct enc_key *key = &secrets->key;
    void *memory = aligned_alloc(16, (enc_curve_size() + 15) & ~(size_t)15);
    ENC_CHECK(memory != NULL);
    enc_process_random(seed32, sizeof seed32);
    struct enc_curve *curve = enc_curve_init(memory, seed32);
    bool is_key = enc_key_init(key, curve, secrets->priv32);
    memcpy(node->pub32, key->pub32, sizeof node->pub32);
    enc_key_wipe(key);
    enc_curve_fini(curve);
    free(memory);
    enc_process_wipe(seed32, sizeof seed32);
    return is_key;
}

static bool open_vault(struct node *node)
{
    if (!enc_vault_open(&node->vault, sizeof(struct secrets)))
        return FAIL(NO_NODE_KEY, strerror(errno));
    if (!node->vault.is_locked)
        enc_log(KEY_NOT_LOCKED);
    return true;
}

static bool load_key(struct node *node)
{
    char path[4096 + sizeof "/node.key"];
    struct enc_key_fault fault;
    if (node->config.key_file[0])
        snprintf(path, sizeof path, "%s", node->config.key_file);
    else
        snprintf(path, sizeof path, "%s/node.key", node->config.data);
    if (!open_vault(node))
        return false;
    if (!enc_key_load(((struct secrets *)node->vault.room)->priv32, &fault, path))
        return FAIL(NO_NODE_KEY, fault.text);
    return derive_public(node) || FAIL(NO_NODE_KEY, "not a private key of secp256k1");
}

/* A successor finds the directory locked until its predecessor has finished. */
static enum enc_store_fault open_when_free(struct node *node, struct enc_store_note *note,
                                           const struct enc_data_config *config)
{
    uint64_t wait_ms =
        node->is_successor ? node->config.drain_timeout_ms + PREDECESSOR_EXTRA_MS : 0;
    for (uint64_t waited_ms = 0;; waited_ms += PREDECESSOR_STEP_MS) {
        enum enc_store_fault fault = enc_data_open(&node->data, note, config);
        if (fault != ENC_STORE_FAULT_LOCKED || waited_ms >= wait_ms)
            return fault;
        usleep(PREDECESSOR_STEP_MS * US_PER_MS);
    }
}

static bool open_data(struct node *node)
{
    struct enc_store_note note;
    struct enc_data_config config = {
        .dir = node->config.data,
        .node_pub32 = node->pub32,
        .map_len = node->config.store_map_gib << GIB_SHIFT,
        .shard_count = (uint32_t)node->config.shards,
        .sync = node->config.durability == ENC_DURABILITY_COMMIT,
    };
    if (!config.sync)
        enc_log(NO_SYNC);
    if (open_when_free(node, &note, &config) == ENC_STORE_FAULT_NONE)
        return true;
    return FAIL(DIRECTORY_REFUSED, note.text);
}

static bool start_host(struct node *node, unsigned worker_count)
{
    const char *why = "unknown";
    struct secrets *secrets = node->vault.room;
    uint8_t owner32[32];
    const char *owner = node->config.registry_owner;
    ENC_CHECK(!owner[0] || enc_public_key_parse(owner32, owner));
    node->follows = enc_follows_new(&node->config.registry_follow);
    struct enc_host_config config = {
        .runtime = enc_server_runtime(node->server),
        .data = node->data,
        .node_priv32 = secrets->priv32,
        .key_memory = &secrets->key,
        .limits = node->config.limits,
        .worker_count = worker_count,
        .push_allow_http = node->config.push_allow_http,
        .push_allow_private = node->config.push_allow_private,
        .bootstrap_open = node->config.bootstrap_open,
        .registry_owner32 = owner[0] ? owner32 : NULL,
        .registry_follows = node->follows,
        .registry_follow_count = node->config.registry_follow.count,
        .version = ENC_VERSION,
        .mounts = enc_server_mounts(node->server),
    };
    enum enc_err err = enc_host_start(&node->host, &config, &why);
    enc_process_wipe(secrets->priv32, sizeof secrets->priv32);
    enc_vault_permit(&node->vault, false);
    return err == ENC_ERR_OK || FAIL(NOT_SERVING, why);
}

static bool start_server(struct node *node)
{
    struct enc_server_fault fault;
    if (!enc_server_start(node->server, &fault, node->host))
        return FAIL(NOT_LISTENING, fault.text);
    if (enc_inherit_fini(&node->inherit) > 0)
        enc_log(SOCKETS_UNUSED);
    return true;
}

/* What can be known to be wrong before the predecessor goes is looked at before it goes. */
static bool succeed(struct node *node)
{
    struct enc_server_fault fault;
    if (!enc_server_check_tls(&node->config, &fault))
        return FAIL(NOT_LISTENING, fault.text);
    node->is_successor = enc_successor_is(&node->inherit);
    enc_successor_ready(&node->inherit);
    return true;
}

/* Below these the node finds what it opens while it runs. */
static void confine_files(const struct enc_config *config)
{
    const struct enc_confine_path fixed[] = {
        {config->data, true, false},
        {config->path ? config->path : "", false, true},
        {config->push_ca_file, false, true},
        {config->tls_certificate, false, true},
        {config->tls_key, false, true},
        {config->tls_client_ca, false, true},
        {config->admin_tls_certificate, false, true},
        {config->admin_tls_key, false, true},
        {config->admin_tls_client_ca, false, true},
    };
    enum { FIXED = sizeof fixed / sizeof *fixed };
    size_t count = FIXED + 2 * config->tls_more.count;
    struct enc_confine_path *paths = calloc(count, sizeof *paths);
    ENC_CHECK(paths != NULL);
    memcpy(paths, fixed, sizeof fixed);
    for (size_t i = 0; i < config->tls_more.count; i++) {
        char *chain = strdup(config->tls_more.items[i]);
        ENC_CHECK(chain != NULL);
        char *key = strchr(chain, ':'); /* checked when read */
        *key = '\0';
        paths[FIXED + 2 * i] = (struct enc_confine_path){chain, false, true};
        paths[FIXED + 2 * i + 1] = (struct enc_confine_path){key + 1, false, true};
    }
    tell_unconfined(enc_confine_files(paths, count));
    for (size_t i = FIXED; i < count; i += 2)
        free((void *)paths[i].path);
    free(paths);
}

/* What root is needed for is done before, what opens files and starts threads comes after. */
static bool drop(struct node *node)
{
    struct enc_server_fault fault;
    if (!enc_usher_open(&node->usher, node->sources.argv))
        return FAIL(NO_USHER, strerror(errno));
    node->server = enc_server_new(&node->config, enc_server_threads(&node->config).loops);
    if (!enc_server_bind(node->server, &fault, &node->inherit))
        return FAIL(NOT_LISTENING, fault.text);
    const char *why = enc_privilege_drop(node->config.security_user);
    return !why || FAIL(NOT_DROPPED, why);
}

static bool open_node(struct node *node)
{
    if (!make_data_dir(node) || !load_key(node))
        return false;
    if (node->config.security_landlock == ENC_LANDLOCK_ON)
        confine_files(&node->config);
    enc_log_start();
    if (!succeed(node) || !open_data(node))
        return false;
    if (!start_host(node, enc_server_threads(&node->config).workers) || !start_server(node))
        return false;
    tell_unconfined(enc_confine_calls((enum enc_confine_way)node->config.security_seccomp));
    return true;
}

static void close_node(struct node *node)
{
    enc_vault_permit(&node->vault, true); /* the host wipes its key */
    if (node->host)
        enc_host_stop(node->host);
    free(node->follows);
    enc_server_free(node->server);
    enc_data_close(node->data);
    enc_vault_close(&node->vault);
    enc_usher_close(&node->usher);
}

/* Everybody is gone; outbound POSTs are given up, the services finish, then the loops, which
 * carried their replies, end. Only then may the host be freed: until its loop has ended a POST may
 * still report to it. */
static void stop_node(struct node *node)
{
    enc_server_stop_fetches(node->server);
    ENC_EDGE("node", node->server, NULL, "give_up", "alone");
    enc_host_drain(node->host);
    ENC_EDGE("node", node->server, NULL, "quiet", "quiet");
    enc_server_flush_traces(node->server);
    enc_server_stop(node->server);
    ENC_EDGE("node", node->server, NULL, "stop", "stopped");
}

static int run(struct node *node)
{
    if (!drop(node) || !open_node(node)) {
        close_node(node);
        return EXIT_FAILURE;
    }
    struct enc_control control = {node->server, &node->config, &node->sources, &node->usher};
    bool is_healthy = enc_control_run(&control);
    stop_node(node);
    close_node(node);
    ENC_EDGE("node", node->server, NULL, "free", "NONE");
    enc_log(STOPPED);
    return is_healthy ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int act(struct node *node, enum enc_config_action action)
{
    enc_config_answer(&node->config, action);
    if (action != ENC_CONFIG_RUN)
        return EXIT_SUCCESS;
    enc_control_set_log(&node->config);
    int status = run(node);
    enc_log_stop();
    return status;
}

static int refuse(struct enc_config_fault *fault)
{
    char *rest = fault->text;
    for (const char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n"))
        fprintf(stderr, "enclaved: %s\n", line);
    return EXIT_CONFIGURATION;
}

int main(int argc, char **argv)
{
    struct node node = {.sources = {argc, argv, environ}};
    struct enc_config_fault fault;
    enum enc_config_action action;
    enc_process_seal();
    enc_tls_wipe_freed();
    enc_inherit_init(&node.inherit);
    ENC_CHECK(enc_crypto_self_check() && curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
    enc_config_init(&node.config);
    bool is_good = enc_config_load(&node.config, &action, &fault, &node.sources);
    int status = is_good ? act(&node, action) : refuse(&fault);
    enc_config_fini(&node.config);
    curl_global_cleanup();
    return status;
}
