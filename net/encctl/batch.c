/*
 * commit --batch: many commits over one WebSocket. The node takes the frames of a socket in order
 * and answers in order (protocol.md 16.57), so the log gets the order of the lines while many are
 * in flight.
 */
#include "net/encctl/commits.h"
#include "net/encctl/out.h"
#include "net/encctl/ws.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    FLIGHT_MAX = 64,        /* commits without an answer */
    LINE_LEN_MAX = 2 << 20, /* a commit of 256 KiB, every byte escaped */
    UNSENT_MAX = 1 << 20,
};

struct flight {
    struct enc_commit commit; /* its hash, enclave and sig; strings are gone */
    uint64_t line;
};

struct batch {
    struct enc_ctl *ctl;
    struct enc_line seal;
    struct enc_ws *ws;
    uint8_t enclave32[32];
    struct enc_arena arena; /* of one line or one answer */
    int fd;
    bool is_at_end;
    bool has_failed; /* no more lines are taken */
    uint8_t *text;   /* read and not yet taken */
    size_t text_len;
    size_t text_at;
    struct flight flights[FLIGHT_MAX]; /* a ring */
    uint64_t sent;
    uint64_t answered;
    uint64_t refused;
    uint64_t line;
};

/* ---- answers ---- */

static void tell_refusal(struct batch *batch, const struct flight *flight,
                         const struct enc_json *frame, struct enc_bytes text)
{
    struct enc_bytes code;
    if (!enc_json_text(enc_json_get(frame, "code"), &code))
        code = ENC_LIT("no Receipt");
    if (batch->ctl->is_json)
        enc_out_line(text);
    enc_out_fault("line %" PRIu64 ": %.*s", flight->line, (int)code.len, (const char *)code.data);
    batch->refused++;
}

static void tell_receipt(const struct batch *batch, const struct enc_json *receipt)
{
    if (batch->ctl->is_json) {
        enc_out_line(receipt->text);
        return;
    }
    const struct enc_json *seq = enc_json_get(receipt, "seq");
    const struct enc_json *id = enc_json_get(receipt, "id");
    printf("%6.*s  %.*s\n", (int)seq->text.len, (const char *)seq->text.data, (int)id->text.len,
           (const char *)id->text.data);
}

static bool is_answer(const struct enc_json *frame)
{
    struct enc_bytes type;
    return enc_json_text(enc_json_get(frame, "type"), &type) &&
           (enc_bytes_is(type, "Receipt") || enc_bytes_is(type, "Error"));
}

static void take_frame(void *opaque, struct enc_bytes text)
{
    struct batch *batch = (struct batch *)opaque;
    struct enc_json *frame = NULL;
    struct enc_json_facts facts;
    const struct enc_json *receipt = NULL;
    bool is_good = enc_json_parse(&frame, &batch->arena, text, &facts) == ENC_ERR_OK;
    if (is_good && is_answer(frame) && batch->answered < batch->sent) {
        const struct flight *flight = &batch->flights[batch->answered++ % FLIGHT_MAX];
        if (!enc_json_get(frame, "code"))
            receipt = enc_commits_receipt(batch->ctl, &batch->arena, frame, &flight->commit,
                                          &batch->seal);
        if (receipt)
            tell_receipt(batch, receipt);
        else
            tell_refusal(batch, flight, frame, text);
    }
    enc_arena_fini(&batch->arena);
}

/* ---- lines ---- */

static bool read_commit(struct batch *batch, struct enc_commit *commit, struct enc_bytes line)
{
    struct enc_json *json = NULL;
    struct enc_json_facts facts;
    *commit = (struct enc_commit){.has_hash = false};
    memcpy(commit->enclave32, batch->enclave32, 32);
    return enc_json_parse(&json, &batch->arena, line, &facts) == ENC_ERR_OK &&
           enc_json_text(enc_json_get(json, "type"), &commit->type) &&
           enc_json_text(enc_json_get(json, "content"), &commit->content) &&
           enc_tags_take(&commit->tags, &batch->arena, enc_json_get(json, "tags")) == ENC_ERR_OK;
}

static void launch(struct batch *batch, struct enc_commit *commit)
{
    struct enc_buffer frame;
    struct enc_bytes text;
    struct flight *flight = &batch->flights[batch->sent++ % FLIGHT_MAX];
    enc_buffer_init(&frame, &batch->arena, SIZE_MAX / 4);
    enc_commits_put(&frame, batch->ctl, commit, batch->ctl->is_encrypted ? &batch->seal : NULL);
    ENC_CHECK(enc_buffer_bytes(&frame, &text) == ENC_ERR_OK);
    enc_ws_send(batch->ws, text);
    *flight = (struct flight){.commit = *commit, .line = batch->line};
    flight->commit.type = flight->commit.content = ENC_LIT("");
    flight->commit.tags.count = 0;
}

static void take_line(struct batch *batch, struct enc_bytes line)
{
    struct enc_commit commit;
    batch->line++;
    if (line.len == 0)
        return;
    bool is_good = read_commit(batch, &commit, line);
    if (!is_good)
        enc_out_fault("line %" PRIu64 " is no {\"type\",\"content\",\"tags\"}", batch->line);
    if (is_good && enc_commits_sign(batch->ctl, &commit))
        launch(batch, &commit);
    else
        batch->has_failed = true;
    enc_arena_fini(&batch->arena);
}

/* The next whole line in the text; at the end of the file what is left is one. */
static bool next_line(struct batch *batch, struct enc_bytes *line)
{
    uint8_t *start = batch->text + batch->text_at;
    size_t rest = batch->text_len - batch->text_at;
    uint8_t *end = rest ? (uint8_t *)memchr(start, '\n', rest) : NULL;
    if (!end && !(batch->is_at_end && rest > 0))
        return false;
    size_t len = end ? (size_t)(end - start) : rest;
    batch->text_at += end ? len + 1 : len;
    *line = enc_bytes_of(start, len);
    return true;
}

static void read_more(struct batch *batch)
{
    memmove(batch->text, batch->text + batch->text_at, batch->text_len - batch->text_at);
    batch->text_len -= batch->text_at;
    batch->text_at = 0;
    if (batch->text_len == LINE_LEN_MAX) {
        enc_out_fault("line %" PRIu64 " is too long", batch->line + 1);
        batch->has_failed = true;
        return;
    }
    ssize_t got = read(batch->fd, batch->text + batch->text_len, LINE_LEN_MAX - batch->text_len);
    if (got < 0 && errno != EINTR && errno != EAGAIN)
        enc_out_fault("reading the lines: %s", strerror(errno));
    batch->is_at_end = got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN);
    batch->text_len += got > 0 ? (size_t)got : 0;
}

static bool has_room(const struct batch *batch)
{
    return batch->sent - batch->answered < FLIGHT_MAX && enc_ws_unsent(batch->ws) < UNSENT_MAX;
}

static bool wants_lines(const struct batch *batch)
{
    return !batch->has_failed && (!batch->is_at_end || batch->text_at < batch->text_len);
}

static bool is_readable(int fd)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    return poll(&wait, 1, 0) > 0;
}

/* Take what is there, then wait for answers, and for lines while there is room for them. */
static bool step(struct batch *batch)
{
    struct enc_bytes line;
    while (wants_lines(batch) && has_room(batch) && next_line(batch, &line))
        take_line(batch, line);
    bool reads = wants_lines(batch) && has_room(batch);
    if (!reads && batch->answered == batch->sent)
        return true;
    enc_out_flush();
    bool is_alive = enc_ws_wait(batch->ws, reads ? batch->fd : -1, -1);
    if (reads && is_readable(batch->fd))
        read_more(batch);
    return is_alive;
}

static enum enc_exit summarize(const struct batch *batch, bool is_alive)
{
    uint64_t lost = batch->sent - batch->answered;
    if (lost > 0)
        enc_out_fault("%" PRIu64 " commits have no answer", lost);
    if (!batch->ctl->is_json)
        printf("%" PRIu64 " accepted, %" PRIu64 " refused\n", batch->answered - batch->refused,
               batch->refused);
    bool is_good = is_alive && lost == 0 && batch->refused == 0 && !batch->has_failed;
    return is_good ? ENC_EXIT_OK : ENC_EXIT_REFUSED;
}

static enum enc_exit run(struct batch *batch)
{
    bool is_alive = true;
    batch->ws = enc_ws_open(batch->ctl, "/", take_frame, batch);
    if (!batch->ws)
        return ENC_EXIT_REFUSED;
    while (is_alive && (wants_lines(batch) || batch->answered < batch->sent))
        is_alive = step(batch);
    enc_ws_close(batch->ws);
    return summarize(batch, is_alive);
}

static int open_lines(const char *path)
{
    int fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        enc_out_fault("%s: %s", path, strerror(errno));
    return fd;
}

enum enc_exit enc_commits_batch(struct enc_ctl *ctl, const uint8_t enclave32[32], const char *path)
{
    int fd = open_lines(path);
    if (fd < 0)
        return ENC_EXIT_USAGE;
    struct batch *batch = (struct batch *)calloc(1, sizeof *batch);
    ENC_CHECK(batch != NULL);
    *batch = (struct batch){.ctl = ctl, .fd = fd, .text = (uint8_t *)malloc(LINE_LEN_MAX)};
    ENC_CHECK(batch->text != NULL);
    memcpy(batch->enclave32, enclave32, 32);
    enc_arena_init(&batch->arena, &ctl->chunks, SIZE_MAX / 2);
    enum enc_exit status = ENC_EXIT_REFUSED;
    if (enc_line_open(ctl, &batch->seal, enclave32))
        status = run(batch);
    enc_line_wipe(&batch->seal);
    enc_arena_fini(&batch->arena);
    free(batch->text);
    free(batch);
    return status;
}
