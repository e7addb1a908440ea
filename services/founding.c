#include "services/founding.h"

#include "services/case.h"
#include "services/inside.h"
#include "services/node.h"

/* ---- the Manifest's content ---- */

static void put_keys(struct enc_buffer *out, const char *role, const uint8_t *keys32, size_t count)
{
    enc_json_member(out, role);
    enc_json_put_raw(out, "[");
    for (size_t i = 0; i < count; i++) {
        enc_json_comma(out);
        enc_json_put_hex(out, enc_bytes_of(keys32 + 32 * i, 32));
    }
    enc_json_put_raw(out, "]");
}

static void put_initial_state(struct enc_buffer *out, const struct enc_founding *founding)
{
    enc_json_member(out, "initial_state");
    enc_json_put_raw(out, "{");
    put_keys(out, "Owner", founding->owner32, 1);
    if (founding->members32) {
        put_keys(out, "Admin", founding->owner32, 1);
        put_keys(out, "Member", founding->members32, founding->member_count);
    }
    enc_json_put_raw(out, "}");
}

/* Two enclaves with the same meta must not be the same enclave, so a nonce joins it. */
static void put_meta(struct enc_buffer *out, const struct enc_runtime *runtime,
                     struct enc_bytes meta)
{
    uint8_t nonce16[16];
    runtime->random(runtime->self, nonce16, sizeof nonce16);
    enc_json_member(out, "meta");
    enc_buffer_add(out, enc_bytes_of(meta.data, meta.len - 1)); /* without its last brace */
    enc_json_member_hex(out, "nonce", enc_bytes_of(nonce16, sizeof nonce16));
    enc_json_put_raw(out, "}");
}

static enum enc_err write_content(struct enc_exchange *exchange, struct enc_bytes *content,
                                  const struct enc_founding *founding)
{
    struct enc_buffer out;
    struct enc_bytes schema =
        enc_bytes_of_text(enc_service_at(exchange->service)->enclave.schema.fixed_json);
    enc_buffer_init(&out, &exchange->arena, ENC_FOUNDING_LEN_MAX);
    enc_json_put_raw(&out, "{\"enc_v\":1,\"RBAC\":");
    enc_buffer_add(&out, enc_bytes_of(schema.data, schema.len - 1));
    put_initial_state(&out, founding);
    enc_json_put_raw(&out, "}");
    put_meta(&out, exchange->host->runtime, founding->meta);
    enc_json_put_raw(&out, "}");
    return enc_buffer_bytes(&out, content);
}

enum enc_err enc_founding_sign(struct enc_exchange *exchange, const struct enc_founding *founding)
{
    enum { LIFE_MS = 60000 };
    struct enc_commit *commit = &exchange->commit;
    *commit = (struct enc_commit){
        .type = ENC_LIT("Manifest"),
        .exp_ms = enc_host_now_ms(exchange->host) + LIFE_MS,
    };
    ENC_TRY(write_content(exchange, &commit->content, founding));
    ENC_TRY(enc_commit_sign(exchange->host->curve, commit, exchange->host->key));
    memcpy(exchange->enclave32, commit->enclave32, 32);
    exchange->has_enclave = true;
    return ENC_ERR_OK;
}

/* ---- singletons ---- */

static enum enc_err find_named(struct enc_store *store, bool *found, uint8_t enclave32[32],
                               struct enc_bytes name)
{
    struct enc_snap *snap = NULL;
    struct enc_bytes value;
    ENC_TRY(enc_snap_open(store, &snap));
    enum enc_err err =
        enc_snap_row(snap, found, &value, (struct enc_view){0, ENC_SHARED_SINGLETON}, name);
    if (err == ENC_ERR_OK && *found && value.len != 32)
        err = ENC_ERR_INTERNAL;
    if (err == ENC_ERR_OK && *found)
        memcpy(enclave32, value.data, 32);
    enc_snap_close(snap);
    return err;
}

static enum enc_err find_singleton(struct enc_host *host, bool *found, uint8_t enclave32[32],
                                   const char *name)
{
    *found = false;
    for (uint32_t i = 0; i < host->writer_count && !*found; i++)
        ENC_TRY(find_named(enc_data_shard_at(host->data, i), found, enclave32,
                           enc_bytes_of_text(name)));
    return ENC_ERR_OK;
}

static struct enc_exchange *own_manifest(struct enc_host *host, unsigned service)
{
    struct enc_founding founding = {.meta = ENC_LIT("{}")};
    const uint8_t *owner32 = host->config.registry_owner32;
    struct enc_exchange *exchange = enc_exchange_new(host);
    if (!exchange)
        return NULL;
    exchange->service = service;
    exchange->is_commit = true;
    memcpy(founding.owner32, owner32 ? owner32 : host->key->pub32, 32);
    if (enc_founding_sign(exchange, &founding) == ENC_ERR_OK)
        return exchange;
    enc_exchange_free(exchange);
    return NULL;
}

/* One commit through the pipeline on this thread. The exchange is gone afterwards. */
static enum enc_err commit_here(struct enc_node *node, struct enc_exchange *exchange)
{
    struct enc_run *run = NULL;
    enum enc_err err = enc_run_open(&run, node, enc_host_now_ms(node->host));
    if (err != ENC_ERR_OK) {
        enc_exchange_free(exchange);
        return err;
    }
    enc_run_add(run, exchange);
    enc_run_write(run);
    bool is_done = run->accepted_count == 1 && run->outcome == ENC_OUTCOME_OK;
    enc_run_finish(run);
    return is_done ? ENC_ERR_OK : ENC_ERR_INTERNAL;
}

static enum enc_err found_singleton(struct enc_host *host, unsigned service)
{
    void *node = NULL;
    struct enc_exchange *exchange = own_manifest(host, service);
    if (!exchange)
        return ENC_ERR_BUSY;
    memcpy(host->singletons32[service], exchange->enclave32, 32);
    enum enc_err err = ENC_NODE_CLASS.open(&node, host, exchange->enclave32);
    if (err != ENC_ERR_OK) {
        enc_exchange_free(exchange);
        return err;
    }
    err = commit_here((struct enc_node *)node, exchange);
    ENC_NODE_CLASS.close(node);
    return err;
}

enum enc_err enc_found_singletons(struct enc_host *host)
{
    for (unsigned i = 0; i < enc_service_count(); i++) {
        const struct enc_addressing *addressing = &enc_service_at(i)->enclave.addressing;
        bool is_served = !host->config.mounts || host->config.mounts[i];
        bool found = false;
        if (addressing->segment != 0)
            continue;
        ENC_TRY(find_singleton(host, &found, host->singletons32[i], addressing->name));
        if (!found && is_served)
            ENC_TRY(found_singleton(host, i));
    }
    return ENC_ERR_OK;
}
