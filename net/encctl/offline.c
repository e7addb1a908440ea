#include "net/encctl/offline.h"

#include "net/encctl/out.h"
#include "net/key.h"
#include "net/process.h"

#include <stdio.h>
#include <unistd.h>

enum { PATH_LEN_MAX = 4096 };

static bool find_node(struct enc_offline *out, const struct enc_ctl *ctl, const char *dir)
{
    char path[PATH_LEN_MAX];
    uint8_t priv32[32];
    struct enc_key key;
    struct enc_key_fault fault;
    if (ctl->has_key) {
        memcpy(out->node_pub32, ctl->key.pub32, 32);
        return true;
    }
    snprintf(path, sizeof path, "%s/node.key", dir);
    if (!enc_key_read(priv32, &fault, path)) {
        enc_out_fault("%s", fault.text);
        return false;
    }
    bool is_key = enc_key_init(&key, ctl->curve, priv32);
    memcpy(out->node_pub32, key.pub32, 32);
    enc_key_wipe(&key);
    enc_process_wipe(priv32, sizeof priv32);
    if (!is_key)
        enc_out_fault("%s: not a private key of secp256k1", path);
    return is_key;
}

/* Opening makes what is missing; a check must not. */
bool enc_offline_is_data(const char *dir)
{
    char path[PATH_LEN_MAX];
    snprintf(path, sizeof path, "%s/version", dir);
    bool is_there = access(path, R_OK) == 0;
    if (!is_there)
        enc_out_fault("%s: not a data directory", dir);
    return is_there;
}

static bool open_data(struct enc_offline *out, const char *dir)
{
    struct enc_store_note note;
    struct enc_data_config config = {
        .dir = dir, .node_pub32 = out->node_pub32, .opens_held = true, .sync = true};
    if (enc_data_open(&out->data, &note, &config) == ENC_STORE_FAULT_NONE)
        return true;
    enc_out_fault("%s", note.text);
    return false;
}

enum enc_exit enc_offline_open(struct enc_offline *out, const struct enc_ctl *ctl, const char *dir)
{
    if (!enc_offline_is_data(dir) || !find_node(out, ctl, dir))
        return ENC_EXIT_USAGE;
    return open_data(out, dir) ? ENC_EXIT_OK : ENC_EXIT_REFUSED;
}

void enc_offline_close(struct enc_offline *offline)
{
    enc_data_close(offline->data);
}
