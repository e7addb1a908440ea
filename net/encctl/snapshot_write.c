#include "net/encctl/out.h"
#include "net/encctl/snapshot.h"
#include "proto/proof_json.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

enum { GZIP_BUFFER_LEN = 1 << 18 };

bool enc_snapshot_create(struct enc_snapshot_out *out, struct enc_ctl *ctl, bool is_gzip)
{
    *out = (struct enc_snapshot_out){.file = NULL};
    enc_arena_init(&out->arena, &ctl->chunks, SIZE_MAX / 2);
    int fd = dup(STDOUT_FILENO);
    out->file = fd < 0 ? NULL : gzdopen(fd, is_gzip ? "wb6" : "wbT");
    if (out->file && gzbuffer(out->file, GZIP_BUFFER_LEN) == 0)
        return true;
    enc_out_fault("standard output: %s", strerror(errno));
    return false;
}

static void put_line(struct enc_snapshot_out *out, const struct enc_buffer *buffer)
{
    struct enc_bytes text;
    if (enc_buffer_bytes(buffer, &text) != ENC_ERR_OK ||
        gzwrite(out->file, text.data, (unsigned)text.len) != (int)text.len)
        out->has_failed = true;
    enc_arena_fini(&out->arena);
}

static void put_sth(struct enc_buffer *line, const struct enc_sth *sth)
{
    enc_json_member(line, "sth");
    enc_json_put_raw(line, "{");
    enc_sth_put(line, sth);
    enc_json_put_raw(line, "}}\n");
}

void enc_snapshot_put_head(struct enc_snapshot_out *out, const struct enc_snapshot_head *head)
{
    struct enc_buffer line;
    enc_buffer_init(&line, &out->arena, 1 << 16);
    enc_json_put_raw(&line, "{");
    enc_json_member_u64(&line, "enc_snapshot", ENC_SNAPSHOT_FORMAT);
    enc_json_member_hex(&line, "enclave", enc_bytes_of(head->enclave32, 32));
    enc_json_member_text(&line, "service", head->service);
    enc_json_member_hex(&line, "sequencer", enc_bytes_of(head->sequencer32, 32));
    enc_json_member_u64(&line, "seq", head->seq);
    enc_json_member_u64(&line, "ct_size", head->ct_size);
    enc_json_member_hex(&line, "ct_root", enc_bytes_of(head->ct_root32, 32));
    enc_json_member_hex(&line, "state_hash", enc_bytes_of(head->state_hash32, 32));
    put_sth(&line, &head->sth);
    put_line(out, &line);
}

void enc_snapshot_put_event(struct enc_snapshot_out *out, const struct enc_event *event,
                            bool hides_content, bool has_hash)
{
    struct enc_buffer line;
    enc_buffer_init(&line, &out->arena, ENC_SNAPSHOT_LINE_MAX);
    enc_event_put_json(&line, event, hides_content);
    if ((hides_content || event->is_erased) && has_hash && line.len > 0) {
        line.len--; /* its brace */
        enc_json_member_hex(&line, "content_hash", enc_bytes_of(event->commit.content_hash32, 32));
        enc_json_put_raw(&line, "}");
    }
    enc_json_put_raw(&line, "\n");
    put_line(out, &line);
    out->event_count++;
}

bool enc_snapshot_finish(struct enc_snapshot_out *out, const struct enc_sth *sth, bool is_whole)
{
    struct enc_buffer line;
    if (!out->file)
        return false;
    enc_buffer_init(&line, &out->arena, 1 << 16);
    enc_json_put_raw(&line, "{");
    enc_json_member_u64(&line, "enc_snapshot_end", ENC_SNAPSHOT_FORMAT);
    enc_json_member_u64(&line, "events", out->event_count);
    put_sth(&line, sth);
    if (is_whole)
        put_line(out, &line);
    enc_arena_fini(&out->arena);
    errno = 0;
    bool is_taken = gzclose(out->file) == Z_OK && !out->has_failed;
    out->file = NULL;
    if (!is_taken)
        enc_out_fault("standard output: %s", errno ? strerror(errno) : "not everything was taken");
    return is_taken;
}
