/* audit: what stays in the directory of --state, and what is told. */
#include "net/encctl/audit.h"

#include "net/encctl/files.h"
#include "net/encctl/out.h"
#include "net/encctl/registry.h"
#include "net/process.h"
#include "proto/base/hex.h"
#include "proto/sha256.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINE_LEN_MAX = 4 << 20, SHORT_HEX = 16 };

static const char RECORD[] = "heads.ndjson";

static bool fail(struct enc_audit *audit, const char *what)
{
    enc_out_capture(NULL, 0);
    enc_out_fault("%s: %s", what, strerror(errno));
    enc_out_capture(audit->why, sizeof audit->why);
    audit->has_trouble = true;
    return false;
}

/* ---- the record, read ---- */

static void take_head(struct enc_audit *audit, struct enc_watch *watch, const struct enc_json *json,
                      bool is_open)
{
    struct enc_audit_head head = {.target = SIZE_MAX};
    bool is_signed = enc_sth_take(&head.sth, json) == ENC_ERR_OK &&
                     enc_json_hex(enc_json_get(json, "sequencer"), head.key32, 32) &&
                     enc_sth_verify(audit->ctl->curve, &head.sth, head.key32);
    if (!is_signed)
        return;
    head.text = enc_audit_keep(json->text);
    if (is_open)
        enc_audit_keep_open(watch, &head);
    else
        enc_audit_insert(watch, &head);
    free(head.text);
}

static bool take_line(struct enc_audit *audit, struct enc_bytes text)
{
    struct enc_ctl *ctl = audit->ctl;
    struct enc_json *json = NULL;
    struct enc_json_facts facts;
    struct enc_event event;
    uint8_t enclave32[32];
    bool is_odd = false;
    if (enc_json_parse(&json, &ctl->arena, text, &facts) != ENC_ERR_OK ||
        !enc_json_hex(enc_json_get(json, "enclave"), enclave32, 32))
        return false;
    struct enc_watch *watch = enc_audit_watch(audit, enclave32);
    const struct enc_json *manifest = enc_json_get(json, "manifest");
    const struct enc_json *migrate = enc_json_get(json, "migrate");
    const struct enc_json *head = enc_json_get(json, "head");
    if (manifest && !watch->manifest &&
        !enc_registry_check_manifest(ctl, &event, manifest, enclave32))
        enc_audit_take_manifest(watch, ctl, &event);
    if (migrate)
        (void)enc_audit_take_migrate(watch, ctl, migrate);
    if (head && !(enc_json_bool(enc_json_get(json, "odd"), &is_odd) && is_odd))
        take_head(audit, watch, head, enc_json_get(json, "open") != NULL);
    return manifest || migrate || head;
}

/* Lines up to the last line end; what a crash has left behind it is cut off. */
static bool read_record(struct enc_audit *audit, const char *path)
{
    char *line = NULL;
    size_t room = 0;
    off_t whole = 0;
    bool is_good = true;
    FILE *file = fopen(path, "rbe");
    if (!file)
        return fail(audit, path);
    for (size_t number = 1; is_good; number++) {
        ssize_t len = getline(&line, &room, file);
        if (len <= 0 || line[len - 1] != '\n')
            break;
        is_good = len < LINE_LEN_MAX && take_line(audit, enc_bytes_of(line, (size_t)len));
        enc_arena_fini(&audit->ctl->arena);
        whole += is_good ? len : 0;
        if (!is_good)
            enc_out_fault("%s: line %zu was not written by an audit", path, number);
    }
    free(line);
    fclose(file);
    return is_good && (ftruncate(audit->record, whole) == 0 || fail(audit, path));
}

bool enc_audit_state_open(struct enc_audit *audit)
{
    char path[ENC_PLACE_LEN_MAX];
    audit->record = -1;
    if (!audit->state)
        return true;
    if (mkdir(audit->state, 0700) != 0 && errno != EEXIST)
        return fail(audit, audit->state);
    if (!enc_path_join(path, audit->state, RECORD))
        return false;
    audit->record = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (audit->record < 0 || flock(audit->record, LOCK_EX | LOCK_NB) != 0)
        return fail(audit, path);
    return read_record(audit, path);
}

/* ---- the record, written ---- */

/* One write per line: a crash leaves a line or a part of the last one. */
static void append(struct enc_audit *audit, const struct enc_buffer *line)
{
    struct enc_bytes text;
    bool is_whole = enc_buffer_bytes(line, &text) == ENC_ERR_OK &&
                    write(audit->record, text.data, text.len) == (ssize_t)text.len &&
                    fdatasync(audit->record) == 0;
    if (!is_whole)
        fail(audit, audit->state);
}

void enc_audit_record(struct enc_audit *audit, const struct enc_watch *watch,
                      const struct enc_buffer *members)
{
    struct enc_buffer line;
    struct enc_bytes text;
    if (audit->record < 0)
        return;
    enc_buffer_init(&line, &audit->ctl->arena, LINE_LEN_MAX);
    enc_json_put_raw(&line, "{");
    enc_json_member_hex(&line, "enclave", enc_bytes_of(watch->enclave32, 32));
    if (enc_buffer_bytes(members, &text) == ENC_ERR_OK)
        enc_buffer_add(&line, text);
    enc_json_put_raw(&line, "}\n");
    append(audit, &line);
}

void enc_audit_record_head(struct enc_audit *audit, const struct enc_target *target,
                           const struct enc_audit_head *head, enum enc_standing standing)
{
    static const struct {
        const char *member;
        const char *event;
    } ROWS[] = {
        [ENC_STANDING_IN] = {"", "head"},
        [ENC_STANDING_ODD] = {",\"odd\":true", "odd head"},
        [ENC_STANDING_OPEN] = {",\"open\":true", "open head"},
    };
    struct enc_buffer members;
    char text[64];
    enc_buffer_init(&members, &audit->ctl->arena, LINE_LEN_MAX);
    enc_json_put_raw(&members, ",\"head\":");
    enc_json_put_raw(&members, head->text);
    enc_json_member_text(&members, "url", enc_bytes_of_text(target->url));
    enc_json_member_u64(&members, "seen", enc_process_now_ms());
    enc_json_put_raw(&members, ROWS[standing].member);
    enc_audit_record(audit, target->watch, &members);
    snprintf(text, sizeof text, "size %llu", (unsigned long long)head->sth.ts);
    enc_audit_note(audit, target, ROWS[standing].event, text);
}

/* ---- lines ---- */

static void put_line(struct enc_audit *audit, struct enc_buffer *line)
{
    struct enc_bytes text;
    enc_json_put_raw(line, "}");
    if (enc_buffer_bytes(line, &text) != ENC_ERR_OK)
        return;
    if (audit->is_json)
        enc_out_line(text);
    if (audit->log && (fprintf(audit->log, "%.*s\n", (int)text.len, (const char *)text.data) < 0 ||
                       fflush(audit->log) != 0))
        fail(audit, audit->args->values[ENC_OPTION_LOG]);
}

static void begin_line(struct enc_audit *audit, struct enc_buffer *line,
                       const struct enc_target *target, const char *event)
{
    enc_buffer_init(line, &audit->ctl->arena, SIZE_MAX / 4);
    enc_json_put_raw(line, "{");
    enc_json_member_u64(line, "at", enc_process_now_ms());
    enc_json_member_text(line, "event", enc_bytes_of_text(event));
    if (target) {
        enc_json_member_text(line, "url", enc_bytes_of_text(target->url));
        enc_json_member_hex(line, "enclave", enc_bytes_of(target->watch->enclave32, 32));
    }
}

void enc_audit_note(struct enc_audit *audit, const struct enc_target *target, const char *event,
                    const char *text)
{
    struct enc_buffer line;
    begin_line(audit, &line, target, event);
    enc_json_member_text(&line, "text", enc_bytes_of_text(text));
    put_line(audit, &line);
}

void enc_audit_unreached(struct enc_audit *audit, struct enc_target *target, const char *text)
{
    audit->is_unreached = true;
    enc_audit_note(audit, target, "unreached", text);
    if (!audit->is_json)
        printf("unreached  %s: %s\n", target->url, text);
    enc_out_flush();
}

/* ---- findings ---- */

static const char *const KINDS[ENC_AUDIT_KINDS_MAX] = {
    "fork",  "rewind",   "two-events", "dropped",   "refused",
    "stale", "unsigned", "missing",    "bad-proof",
};

static size_t kind_index(const char *kind)
{
    size_t i = 0;
    while (strcmp(KINDS[i], kind) != 0)
        i++;
    return i;
}

static void put_heads(struct enc_buffer *file, const struct enc_finding *finding)
{
    enc_json_put_raw(file, ",\"heads\":[");
    for (size_t i = 0; i < 2 && finding->heads[i]; i++) {
        enc_json_comma(file);
        enc_json_put_raw(file, finding->heads[i]->text);
    }
    enc_json_put_raw(file, "]");
}

static void put_evidence(struct enc_buffer *file, const struct enc_target *target,
                         const struct enc_finding *finding)
{
    const struct enc_watch *watch = target->watch;
    enc_json_put_raw(file, "{\"enc_evidence\":1");
    enc_json_member_text(file, "kind", enc_bytes_of_text(finding->kind));
    enc_json_member_hex(file, "enclave", enc_bytes_of(watch->enclave32, 32));
    if (watch->manifest)
        enc_json_member_raw(file, "manifest", enc_bytes_of_text(watch->manifest));
    enc_json_put_raw(file, ",\"migrates\":[");
    enc_json_put_raw(file, watch->migrates ? watch->migrates : "");
    enc_json_put_raw(file, "]");
    put_heads(file, finding);
    if (finding->members.len) {
        enc_json_put_raw(file, ",");
        enc_buffer_add(file, finding->members);
    }
    enc_json_member_u64(file, "seen", enc_process_now_ms());
    enc_json_member_text(file, "url", enc_bytes_of_text(target->url));
    enc_json_put_raw(file, "}");
}

static bool sync_dir(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool is_synced = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    return is_synced;
}

static bool write_whole(int fd, struct enc_bytes text)
{
    bool is_whole = fd >= 0 && write(fd, text.data, text.len) == (ssize_t)text.len;
    is_whole = is_whole && fsync(fd) == 0;
    if (fd >= 0 && close(fd) != 0)
        is_whole = false;
    return is_whole;
}

/* evidence-<kind>-<enclave>-<what it is about>.json; false: there is none now. */
static bool keep_file(struct enc_audit *audit, char path[ENC_PLACE_LEN_MAX],
                      const struct enc_target *target, const struct enc_finding *finding,
                      struct enc_bytes text)
{
    char name[96], fresh[ENC_PLACE_LEN_MAX], enclave[64], about[64];
    struct enc_buffer heads;
    uint8_t sha32[32];
    enc_buffer_init(&heads, &audit->ctl->arena, SIZE_MAX / 4);
    put_heads(&heads, finding);
    enc_buffer_add(&heads, finding->members);
    enc_sha256(sha32, enc_bytes_of(heads.data, heads.len));
    enc_hex_encode(enclave, enc_bytes_of(target->watch->enclave32, 32));
    enc_hex_encode(about, enc_bytes_of(sha32, 32));
    snprintf(name, sizeof name, "evidence-%s-%.*s-%.*s.json", finding->kind, SHORT_HEX, enclave,
             SHORT_HEX, about);
    if (!enc_path_join(path, audit->state, name) ||
        snprintf(fresh, sizeof fresh, "%s.new", path) >= (int)sizeof fresh)
        return false;
    int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    return (write_whole(fd, text) && rename(fresh, path) == 0 && sync_dir(audit->state)) ||
           fail(audit, fresh);
}

static void tell_finding(struct enc_audit *audit, const struct enc_target *target,
                         const struct enc_finding *finding, const struct enc_evidence *weighed,
                         struct enc_bytes text)
{
    static const char *const WORTHS[] = {"none", "claim", "proof"};
    struct enc_buffer line;
    char path[ENC_PLACE_LEN_MAX] = "";
    bool is_kept = audit->state && keep_file(audit, path, target, finding, text);
    begin_line(audit, &line, target, "finding");
    enc_json_member_text(&line, "kind", enc_bytes_of_text(finding->kind));
    enc_json_member_text(&line, "worth", enc_bytes_of_text(WORTHS[weighed->worth]));
    enc_json_member_text(&line, "text", enc_bytes_of_text(weighed->text));
    enc_json_member_text(&line, "detail", enc_bytes_of_text(finding->text));
    if (is_kept)
        enc_json_member_text(&line, "file", enc_bytes_of_text(path));
    else
        enc_json_member_raw(&line, "evidence", text);
    put_line(audit, &line);
    if (!audit->is_json)
        printf("%s  %s  %s: %s%s%s %s\n", finding->kind, WORTHS[weighed->worth], target->url,
               weighed->text, *finding->text ? "; " : "", finding->text, path);
    enc_out_flush();
}

void enc_audit_tell(struct enc_audit *audit, struct enc_target *target,
                    const struct enc_finding *finding)
{
    struct enc_buffer file;
    struct enc_bytes text;
    struct enc_json *json = NULL;
    struct enc_json_facts facts;
    struct enc_evidence weighed;
    uint8_t *told = &target->told[kind_index(finding->kind)];
    enc_buffer_init(&file, &audit->ctl->arena, SIZE_MAX / 4);
    put_evidence(&file, target, finding);
    if (enc_buffer_bytes(&file, &text) != ENC_ERR_OK ||
        enc_json_parse(&json, &audit->ctl->arena, text, &facts) != ENC_ERR_OK)
        return;
    enc_evidence_weigh(&weighed, audit->ctl, json);
    audit->has_proof = audit->has_proof || weighed.worth == ENC_WORTH_PROOF;
    audit->has_claim = true;
    if (*told > (uint8_t)weighed.worth)
        return;
    *told = (uint8_t)weighed.worth + 1;
    tell_finding(audit, target, finding, &weighed, text);
}
