#include "net/encctl/out.h"
#include "net/encctl/snapshot.h"
#include "proto/proof_json.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static bool bad(const struct enc_snapshot_in *in, const char *what)
{
    enc_out_fault("%s: line %" PRIu64 ": %s", in->path, in->line_number, what);
    return false;
}

/* ---- lines ---- */

static bool bad_end(const struct enc_snapshot_in *in)
{
    int failure = Z_OK;
    const char *text = gzerror(in->file, &failure);
    if (failure == Z_ERRNO)
        return bad(in, strerror(errno));
    if (failure != Z_OK)
        return bad(in, text);
    return bad(in, "the file ends here, without its last line");
}

/* A line of text up to its end. A byte 0 in it would hide what follows: it is no text then. */
static bool read_line(struct enc_snapshot_in *in, struct enc_bytes *line)
{
    in->line_number++;
    enc_arena_fini(&in->page);
    if (!gzgets(in->file, in->line, ENC_SNAPSHOT_LINE_MAX))
        return bad_end(in);
    *line = enc_bytes_of(in->line, strlen(in->line));
    if (line->len > 0 && line->data[line->len - 1] == '\n') {
        line->len--;
        return true;
    }
    return gzeof(in->file) ? bad_end(in) : bad(in, "too long, or no text");
}

static bool parse_line(struct enc_snapshot_in *in, struct enc_json **json, struct enc_arena *arena)
{
    struct enc_bytes line;
    struct enc_json_facts facts;
    if (!read_line(in, &line))
        return false;
    enum enc_err err = enc_json_parse(json, arena, line, &facts);
    return (err == ENC_ERR_OK && (*json)->kind == ENC_JSON_OBJECT) || bad(in, "no JSON object");
}

/* ---- the head ---- */

static bool take_head(struct enc_snapshot_head *head, const struct enc_json *json)
{
    return enc_json_hex(enc_json_get(json, "enclave"), head->enclave32, 32) &&
           enc_json_text(enc_json_get(json, "service"), &head->service) &&
           enc_json_hex(enc_json_get(json, "sequencer"), head->sequencer32, 32) &&
           enc_json_u64(enc_json_get(json, "seq"), &head->seq) &&
           enc_json_u64(enc_json_get(json, "ct_size"), &head->ct_size) &&
           enc_json_hex(enc_json_get(json, "ct_root"), head->ct_root32, 32) &&
           enc_json_hex(enc_json_get(json, "state_hash"), head->state_hash32, 32) &&
           enc_sth_take(&head->sth, enc_json_get(json, "sth")) == ENC_ERR_OK;
}

static bool read_head(struct enc_snapshot_in *in, struct enc_snapshot_head *head)
{
    struct enc_json *json = NULL;
    uint64_t format = 0;
    if (!parse_line(in, &json, &in->head_arena))
        return false;
    if (!enc_json_u64(enc_json_get(json, "enc_snapshot"), &format))
        return bad(in, "no snapshot of an enclave");
    if (format != ENC_SNAPSHOT_FORMAT)
        return bad(in, "a format that this program does not know");
    if (!take_head(head, json))
        return bad(in, "a member of the head is missing or malformed");
    head->service = enc_arena_copy(&in->head_arena, head->service); /* it may lie in the line */
    return true;
}

bool enc_snapshot_open(struct enc_snapshot_in *in, struct enc_snapshot_head *head,
                       struct enc_ctl *ctl, const char *path)
{
    *in = (struct enc_snapshot_in){.path = path};
    enc_arena_init(&in->page, &ctl->chunks, SIZE_MAX / 2);
    enc_arena_init(&in->head_arena, &ctl->chunks, SIZE_MAX / 2);
    in->line = (char *)malloc(ENC_SNAPSHOT_LINE_MAX);
    ENC_CHECK(in->line != NULL);
    in->file = strcmp(path, "-") == 0 ? gzdopen(dup(STDIN_FILENO), "rb") : gzopen(path, "rbe");
    if (in->file)
        return read_head(in, head);
    enc_out_fault("%s: %s", path, strerror(errno));
    return false;
}

void enc_snapshot_close(struct enc_snapshot_in *in)
{
    if (in->file)
        gzclose(in->file);
    enc_arena_fini(&in->page);
    enc_arena_fini(&in->head_arena);
    free(in->line);
}

/* ---- events and the end ---- */

static bool take_event(struct enc_snapshot_in *in, struct enc_event *event,
                       const struct enc_json *json)
{
    if (enc_event_take(event, &in->page, json) != ENC_ERR_OK)
        return bad(in, "no event");
    uint8_t *hash32 = event->commit.content_hash32;
    return !event->is_erased || enc_json_hex(enc_json_get(json, "content_hash"), hash32, 32) ||
           bad(in, "an event without content and without content_hash: such a file can be read, "
                   "but no node can go on from it; export --data writes the hash");
}

static bool take_end(struct enc_snapshot_in *in, struct enc_sth *end, const struct enc_json *json)
{
    uint64_t count = 0;
    bool is_good = enc_json_u64(enc_json_get(json, "events"), &count) &&
                   count == in->line_number - 2 &&
                   enc_sth_take(end, enc_json_get(json, "sth")) == ENC_ERR_OK;
    if (!is_good)
        return bad(in, "the last line does not fit to those before it");
    in->line_number++;
    return gzgetc(in->file) == -1 ? gzeof(in->file) || bad_end(in)
                                  : bad(in, "there is something behind the last line");
}

enum enc_snapshot_step enc_snapshot_next(struct enc_snapshot_in *in, struct enc_event *event,
                                         struct enc_sth *end)
{
    struct enc_json *json = NULL;
    if (!parse_line(in, &json, &in->page))
        return ENC_SNAPSHOT_BAD;
    if (enc_json_get(json, "enc_snapshot_end"))
        return take_end(in, end, json) ? ENC_SNAPSHOT_END : ENC_SNAPSHOT_BAD;
    return take_event(in, event, json) ? ENC_SNAPSHOT_EVENT : ENC_SNAPSHOT_BAD;
}
