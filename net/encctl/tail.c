/* tail: a subscription; stored events, then live ones, until Ctrl-C or --count. */
#include "net/encctl/out.h"
#include "net/encctl/pages.h"
#include "net/encctl/ws.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

struct tail {
    struct enc_ctl *ctl;
    struct enc_line line;
    struct enc_arena arena; /* of one frame */
    uint64_t left;          /* events to go */
    bool has_failed;
    bool is_over;
};

static volatile sig_atomic_t is_interrupted;

static void interrupt(int signal)
{
    (void)signal;
    is_interrupted = 1;
}

/* Without SA_RESTART: poll ends, and with it the wait. */
static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = interrupt};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

static void take_event(struct tail *tail, const struct enc_json *frame)
{
    struct enc_bytes base64;
    const struct enc_json *element = frame;
    if (enc_json_text(enc_json_get(frame, "content"), &base64) &&
        !enc_line_unseal(&tail->line, &element, &tail->arena, base64)) {
        tail->has_failed = true;
        return;
    }
    if (tail->left == 0)
        return;
    if (tail->ctl->is_json)
        enc_out_line(element->text);
    else
        enc_out_element(element);
    enc_out_flush();
    tail->left--;
}

static void take_eose(struct tail *tail, const struct enc_json *frame)
{
    (void)frame;
    if (!tail->ctl->is_json)
        fputs("encctl: end of stored events; now live\n", stderr);
}

static void take_closed(struct tail *tail, const struct enc_json *frame)
{
    struct enc_bytes reason;
    if (!enc_json_text(enc_json_get(frame, "reason"), &reason))
        reason = ENC_LIT("no reason");
    enc_out_fault("the node closed the subscription: %.*s", (int)reason.len,
                  (const char *)reason.data);
    tail->has_failed = !enc_bytes_is(reason, "complete");
    tail->is_over = true;
}

static void take_error(struct tail *tail, const struct enc_json *frame)
{
    struct enc_bytes code;
    if (tail->ctl->is_json)
        enc_out_line(frame->text);
    if (enc_json_text(enc_json_get(frame, "code"), &code))
        enc_out_fault("%.*s", (int)code.len, (const char *)code.data);
    tail->has_failed = true;
}

static void take_frame(void *opaque, struct enc_bytes text)
{
    static const struct {
        const char *type;
        void (*take)(struct tail *tail, const struct enc_json *frame);
    } ROWS[] = {
        {"Event", take_event},
        {"EOSE", take_eose},
        {"Closed", take_closed},
        {"Error", take_error},
    };
    struct tail *tail = (struct tail *)opaque;
    struct enc_json *frame = NULL;
    struct enc_json_facts facts;
    struct enc_bytes type;
    bool is_good = enc_json_parse(&frame, &tail->arena, text, &facts) == ENC_ERR_OK &&
                   enc_json_text(enc_json_get(frame, "type"), &type);
    for (size_t i = 0; is_good && i < sizeof ROWS / sizeof ROWS[0]; i++)
        if (enc_bytes_is(type, ROWS[i].type))
            ROWS[i].take(tail, frame);
    enc_arena_fini(&tail->arena);
}

static void subscribe(struct tail *tail, struct enc_ws *ws, const struct enc_pages *pages)
{
    struct enc_buffer members;
    struct enc_buffer frame;
    struct enc_bytes text;
    struct enc_question question = {
        .type = "Query", .enclave32 = pages->enclave32, .sub_id = ENC_LIT("tail")};
    enc_buffer_init(&members, &tail->ctl->arena, SIZE_MAX / 4);
    enc_buffer_init(&frame, &tail->ctl->arena, SIZE_MAX / 4);
    enc_pages_put_filter(&members, pages);
    ENC_CHECK(enc_buffer_bytes(&members, &question.members) == ENC_ERR_OK);
    enc_question_put(&frame, &question, tail->ctl, tail->ctl->has_key ? &tail->line : NULL);
    ENC_CHECK(enc_buffer_bytes(&frame, &text) == ENC_ERR_OK);
    enc_ws_send(ws, text);
}

static enum enc_exit follow(struct tail *tail, const struct enc_pages *pages)
{
    bool is_alive = true;
    struct enc_ws *ws = enc_ws_open(tail->ctl, "/", take_frame, tail);
    if (!ws)
        return ENC_EXIT_REFUSED;
    catch_signals();
    subscribe(tail, ws, pages);
    while (is_alive && !is_interrupted && !tail->has_failed && !tail->is_over && tail->left > 0)
        is_alive = enc_ws_wait(ws, -1, 1000); /* a signal just before poll is seen within 1 s */
    enc_ws_close(ws);
    bool is_wanted = tail->left == 0 || tail->is_over || is_interrupted;
    return is_wanted && !tail->has_failed ? ENC_EXIT_OK : ENC_EXIT_REFUSED;
}

static bool take_count(struct tail *tail, const char *text)
{
    char *end;
    tail->left = UINT64_MAX;
    if (!text)
        return true;
    tail->left = strtoull(text, &end, 10);
    bool is_number = text[0] >= '0' && text[0] <= '9' && *end == '\0' && tail->left > 0;
    if (!is_number)
        enc_out_fault("--count wants a number from 1, not: %s", text);
    return is_number;
}

enum enc_exit enc_command_tail(struct enc_ctl *ctl, const struct enc_args *args)
{
    uint8_t enclave32[32];
    struct tail tail = {.ctl = ctl};
    struct enc_pages pages = {.ctl = ctl, .enclave32 = enclave32};
    const char *filter = args->values[ENC_OPTION_FILTER];
    if (!enc_ctl_hex32(enclave32, args->words[0], "ENCLAVE") ||
        !enc_pages_filter(&pages, filter ? filter : "{}") ||
        !take_count(&tail, args->values[ENC_OPTION_COUNT_MAX]))
        return ENC_EXIT_USAGE;
    if (ctl->has_key && !enc_line_open(ctl, &tail.line, enclave32))
        return ENC_EXIT_REFUSED;
    enc_arena_init(&tail.arena, &ctl->chunks, SIZE_MAX / 2);
    enum enc_exit status = follow(&tail, &pages);
    enc_line_wipe(&tail.line);
    return status;
}
