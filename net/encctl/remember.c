/* verify --remember: the tree heads that were seen, each a line {"enclave","t","ts","r","sig"}. */
#include "net/encctl/heads.h"
#include "net/encctl/out.h"
#include "net/encctl/verify.h"
#include "proto/proof_json.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

static size_t count_lines(struct enc_bytes text)
{
    size_t count = 1;
    for (size_t i = 0; i < text.len; i++)
        count += text.data[i] == '\n';
    return count;
}

/* A line of another enclave is not ours to judge; one that is no line of this file is a fault. */
static bool take_line(struct enc_verify *verify, struct enc_bytes line)
{
    uint8_t enclave32[32];
    struct enc_sth head;
    if (line.len == 0)
        return true;
    if (!enc_seen_line(enclave32, &head, &verify->page, line))
        return false;
    if (!verify->has_enclave || memcmp(enclave32, verify->enclave32, 32) == 0)
        verify->heads[verify->head_count++] = head;
    return true;
}

static bool take_lines(struct enc_verify *verify, struct enc_bytes text)
{
    while (text.len > 0) {
        const uint8_t *end = (const uint8_t *)memchr(text.data, '\n', text.len);
        size_t len = end ? (size_t)(end - text.data) : text.len;
        size_t step = end ? len + 1 : len;
        if (!take_line(verify, enc_bytes_of(text.data, len)))
            return false;
        text = enc_bytes_of(text.data + step, text.len - step);
    }
    return true;
}

bool enc_verify_recall(struct enc_verify *verify)
{
    struct enc_bytes text = {NULL, 0};
    const char *path = verify->args->values[ENC_OPTION_REMEMBER];
    bool is_there = path && access(path, F_OK) == 0;
    if (is_there && !enc_ctl_read_file(verify->ctl, &text, path))
        return false;
    verify->heads = ENC_ARENA_NEW(&verify->ctl->arena, struct enc_sth, count_lines(text) + 1);
    ENC_CHECK(verify->heads != NULL);
    if (!take_lines(verify, text)) {
        enc_out_fault("%s: a line is no remembered tree head", path);
        return false;
    }
    if (verify->has_head)
        verify->heads[verify->head_count++] = verify->head;
    enc_heads_sort(verify->heads, verify->head_count);
    return true;
}

bool enc_verify_remember(const struct enc_verify *verify)
{
    struct enc_buffer line;
    const char *path = verify->args->values[ENC_OPTION_REMEMBER];
    if (!path)
        return true;
    enc_buffer_init(&line, &verify->ctl->arena, 4096);
    enc_json_put_raw(&line, "{");
    enc_json_member_hex(&line, "enclave", enc_bytes_of(verify->enclave32, 32));
    enc_json_comma(&line);
    enc_sth_put(&line, &verify->head);
    enc_json_put_raw(&line, "}\n");
    FILE *file = fopen(path, "ae");
    bool is_kept = file && fwrite(line.data, 1, line.len, file) == line.len;
    if (file && fclose(file) != 0)
        is_kept = false;
    if (!is_kept)
        enc_out_fault("%s: %s", path, strerror(errno));
    return is_kept;
}
