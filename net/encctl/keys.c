/* keygen and pubkey. */
#include "net/encctl/out.h"
#include "net/key.h"
#include "net/process.h"

static enum enc_exit tell_public(const struct enc_ctl *ctl, const struct enc_key *key)
{
    struct enc_buffer buffer;
    enc_buffer_init(&buffer, (struct enc_arena *)&ctl->arena, 1024);
    if (!ctl->is_json) {
        enc_out_hex("public key", key->pub32, 32);
        return ENC_EXIT_OK;
    }
    enc_json_put_raw(&buffer, "{");
    enc_json_member_hex(&buffer, "pub", enc_bytes_of(key->pub32, 32));
    enc_json_put_raw(&buffer, "}");
    enc_out_buffer(&buffer);
    return ENC_EXIT_OK;
}

static enum enc_exit tell_file(const struct enc_ctl *ctl, struct enc_key_fault *fault,
                               const char *path, enc_key_file *file)
{
    uint8_t priv32[32];
    struct enc_key key;
    enum enc_exit status = ENC_EXIT_REFUSED;
    if (!file(priv32, fault, path)) {
        enc_out_fault("%s", fault->text);
        return ENC_EXIT_REFUSED;
    }
    if (enc_key_init(&key, ctl->curve, priv32))
        status = tell_public(ctl, &key);
    else
        enc_out_fault("%s: not a private key of secp256k1", path);
    enc_process_wipe(priv32, sizeof priv32);
    enc_key_wipe(&key);
    return status;
}

enum enc_exit enc_command_keygen(struct enc_ctl *ctl, const struct enc_args *args)
{
    struct enc_key_fault fault;
    return tell_file(ctl, &fault, args->words[0], enc_key_make);
}

enum enc_exit enc_command_pubkey(struct enc_ctl *ctl, const struct enc_args *args)
{
    struct enc_key_fault fault;
    if (args->word_count == 1)
        return tell_file(ctl, &fault, args->words[0], enc_key_read);
    return enc_ctl_need_key(ctl) ? tell_public(ctl, &ctl->key) : ENC_EXIT_USAGE;
}
