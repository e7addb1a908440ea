#include "net/encctl/ctl.h"

#include "net/encctl/out.h"
#include "net/key.h"
#include "net/process.h"
#include "proto/base/hex.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { CHUNK_LEN = 1 << 20, FILE_LEN_MAX = 256 << 20 };

static struct enc_chunk *take_chunk(void *self, size_t len)
{
    (void)self;
    size_t want = len > CHUNK_LEN ? len : CHUNK_LEN;
    struct enc_chunk *chunk = (struct enc_chunk *)malloc(want);
    if (chunk)
        chunk->len = want;
    return chunk;
}

static void give_chunks(void *self, struct enc_chunk *list)
{
    (void)self;
    while (list) {
        struct enc_chunk *next = list->next;
        free(list);
        list = next;
    }
}

static void make_curve(struct enc_ctl *ctl)
{
    uint8_t seed32[32];
    void *memory = aligned_alloc(16, (enc_curve_size() + 15) & ~(size_t)15);
    ENC_CHECK(memory != NULL);
    enc_process_random(seed32, sizeof seed32);
    ctl->curve = enc_curve_init(memory, seed32);
    enc_process_wipe(seed32, sizeof seed32);
}

static bool load_key(struct enc_ctl *ctl, const char *path)
{
    uint8_t priv32[32];
    struct enc_key_fault fault;
    if (!enc_key_read(priv32, &fault, path)) {
        enc_out_fault("%s", fault.text);
        return false;
    }
    ctl->has_key = enc_key_init(&ctl->key, ctl->curve, priv32);
    enc_process_wipe(priv32, sizeof priv32);
    if (!ctl->has_key)
        enc_out_fault("%s: not a private key of secp256k1", path);
    return ctl->has_key;
}

static const char *trim_url(struct enc_ctl *ctl, const char *url)
{
    size_t len = strlen(url);
    while (len > 0 && url[len - 1] == '/')
        len--;
    struct enc_bytes copy = enc_arena_copy(&ctl->arena, enc_bytes_of(url, len));
    ENC_CHECK(copy.data != NULL);
    return (const char *)copy.data;
}

bool enc_ctl_init(struct enc_ctl *ctl, const struct enc_args *args)
{
    const char *url = args->values[ENC_OPTION_URL];
    *ctl = (struct enc_ctl){.is_json = args->values[ENC_OPTION_JSON] != NULL};
    ctl->chunks = (struct enc_chunk_source){.take = take_chunk, .give = give_chunks};
    enc_arena_init(&ctl->arena, &ctl->chunks, SIZE_MAX / 2);
    ctl->url = trim_url(ctl, url ? url : "http://127.0.0.1:8080");
    make_curve(ctl);
    const char *key_file = args->values[ENC_OPTION_KEY];
    return !key_file || load_key(ctl, key_file);
}

void enc_ctl_fini(struct enc_ctl *ctl)
{
    enc_key_wipe(&ctl->key);
    curl_easy_cleanup(ctl->curl);
    enc_curve_fini(ctl->curve);
    free(ctl->curve);
    enc_arena_fini(&ctl->arena);
}

bool enc_ctl_need_key(const struct enc_ctl *ctl)
{
    if (!ctl->has_key)
        enc_out_fault("this needs --key FILE; encctl keygen FILE makes one");
    return ctl->has_key;
}

bool enc_ctl_hex32(uint8_t out32[32], const char *text, const char *what)
{
    if (enc_hex_decode(out32, 32, enc_bytes_of_text(text)))
        return true;
    enc_out_fault("%s is not 64 hex digits: %s", what, text);
    return false;
}

static bool read_stream(struct enc_ctl *ctl, struct enc_bytes *out, FILE *file)
{
    struct enc_buffer buffer;
    uint8_t piece[65536];
    size_t len;
    enc_buffer_init(&buffer, &ctl->arena, FILE_LEN_MAX);
    while ((len = fread(piece, 1, sizeof piece, file)) > 0)
        enc_buffer_add(&buffer, enc_bytes_of(piece, len));
    if (ferror(file) || enc_buffer_bytes(&buffer, out) != ENC_ERR_OK)
        return false;
    *out = enc_arena_copy(&ctl->arena, *out);
    return out->data != NULL;
}

bool enc_ctl_read_file(struct enc_ctl *ctl, struct enc_bytes *out, const char *path)
{
    bool is_stdin = strcmp(path, "-") == 0;
    errno = 0;
    FILE *file = is_stdin ? stdin : fopen(path, "rbe");
    bool is_read = file && read_stream(ctl, out, file);
    if (!is_read)
        enc_out_fault("%s: %s", path, errno ? strerror(errno) : "too large");
    if (file && !is_stdin)
        fclose(file);
    return is_read;
}
