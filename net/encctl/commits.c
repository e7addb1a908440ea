/* create and commit: one signed commit by POST. */
#include "net/encctl/commits.h"

#include "net/encctl/out.h"
#include "net/process.h"

enum { EXP_AHEAD_MS = 600000 };

bool enc_commits_sign(const struct enc_ctl *ctl, struct enc_commit *commit)
{
    commit->exp_ms = enc_process_now_ms() + EXP_AHEAD_MS;
    enum enc_err err = enc_commit_sign(ctl->curve, commit, &ctl->key);
    if (err == ENC_ERR_OK)
        return true;
    enc_out_fault("the commit cannot be signed: %s", err == ENC_ERR_TOO_LARGE
                                                         ? "content or tags are too large"
                                                         : "its type or its tag r is malformed");
    return false;
}

void enc_commits_put(struct enc_buffer *out, const struct enc_ctl *ctl, struct enc_commit *commit,
                     const struct enc_line *line)
{
    struct enc_buffer plain;
    struct enc_bytes text;
    if (!line) {
        enc_commit_put_json(out, commit);
        return;
    }
    enc_buffer_init(&plain, out->arena, SIZE_MAX / 4);
    enc_commit_put_json(&plain, commit);
    ENC_CHECK(enc_buffer_bytes(&plain, &text) == ENC_ERR_OK);
    enc_json_put_raw(out, "{\"type\":\"Commit\"");
    enc_json_member_hex(out, "enclave", enc_bytes_of(commit->enclave32, 32));
    enc_json_member_hex(out, "from", enc_bytes_of(ctl->key.pub32, 32));
    enc_json_member_hex(out, "signer", enc_bytes_of(line->signer32, 32));
    enc_line_seal(line, out, text);
    enc_json_put_raw(out, "}");
}

const struct enc_json *enc_commits_receipt(const struct enc_ctl *ctl, struct enc_arena *arena,
                                           const struct enc_json *answer,
                                           const struct enc_commit *commit,
                                           const struct enc_line *line)
{
    struct enc_event receipt;
    struct enc_bytes base64;
    const struct enc_json *json = answer;
    bool is_sealed = line && enc_json_text(enc_json_get(answer, "content"), &base64);
    if (is_sealed && !enc_line_unseal(line, &json, arena, base64))
        return NULL;
    if (enc_receipt_take(&receipt, json) != ENC_ERR_OK) {
        enc_out_fault("the answer to the commit is no Receipt");
        return NULL;
    }
    enum enc_event_fault fault = enc_receipt_check(&receipt, ctl->curve, commit, ctl->seq_pub32);
    if (fault == ENC_EVENT_SOUND)
        return json;
    enc_out_fault("the Receipt lies: %s", enc_event_fault_text(fault));
    return NULL;
}

static bool split_tag(struct enc_bytes members[2], const char *text)
{
    const char *equals = strchr(text, '=');
    if (!equals || equals == text) {
        enc_out_fault("a tag is K=V, not: %s", text);
        return false;
    }
    members[0] = enc_bytes_of(text, (size_t)(equals - text));
    members[1] = enc_bytes_of_text(equals + 1);
    return true;
}

bool enc_commits_tags(struct enc_ctl *ctl, struct enc_tags *out, const struct enc_args *args)
{
    struct enc_tag *tags = ENC_ARENA_NEW(&ctl->arena, struct enc_tag, args->tag_count);
    struct enc_bytes *members = ENC_ARENA_NEW(&ctl->arena, struct enc_bytes, 2 * args->tag_count);
    ENC_CHECK(tags && members);
    for (size_t i = 0; i < args->tag_count; i++) {
        if (!split_tag(members + 2 * i, args->tags[i]))
            return false;
        tags[i] = (struct enc_tag){.members = members + 2 * i, .count = 2};
    }
    *out = (struct enc_tags){.items = tags, .count = args->tag_count};
    return true;
}

static enum enc_exit tell_receipt(const struct enc_ctl *ctl, const struct enc_json *receipt)
{
    if (ctl->is_json)
        enc_out_line(receipt->text);
    else
        enc_out_members(receipt);
    return ENC_EXIT_OK;
}

static enum enc_exit post(struct enc_ctl *ctl, struct enc_commit *commit,
                          const struct enc_line *line)
{
    struct enc_answer answer;
    struct enc_buffer body;
    struct enc_bytes text;
    enc_buffer_init(&body, &ctl->arena, SIZE_MAX / 4);
    enc_commits_put(&body, ctl, commit, line);
    ENC_CHECK(enc_buffer_bytes(&body, &text) == ENC_ERR_OK);
    if (!enc_http_post(ctl, &ctl->arena, &answer, "", text) || !enc_http_good(ctl, &answer))
        return ENC_EXIT_REFUSED;
    const struct enc_json *receipt =
        enc_commits_receipt(ctl, &ctl->arena, answer.json, commit, line);
    return receipt ? tell_receipt(ctl, receipt) : ENC_EXIT_REFUSED;
}

enum enc_exit enc_commits_send(struct enc_ctl *ctl, struct enc_commit *commit)
{
    struct enc_line line;
    if (!enc_node_know(ctl))
        return ENC_EXIT_REFUSED;
    if (!enc_commits_sign(ctl, commit))
        return ENC_EXIT_USAGE;
    if (!ctl->is_encrypted)
        return post(ctl, commit, NULL);
    if (!enc_line_open(ctl, &line, commit->enclave32))
        return ENC_EXIT_REFUSED;
    enum enc_exit status = post(ctl, commit, &line);
    enc_line_wipe(&line);
    return status;
}

enum enc_exit enc_command_create(struct enc_ctl *ctl, const struct enc_args *args)
{
    struct enc_commit commit = {.type = ENC_LIT("Manifest")};
    const char *path = args->values[ENC_OPTION_MANIFEST];
    if (!path)
        enc_out_fault("create needs --manifest FILE");
    if (!path || !enc_ctl_need_key(ctl) || !enc_commits_tags(ctl, &commit.tags, args) ||
        !enc_ctl_read_file(ctl, &commit.content, path))
        return ENC_EXIT_USAGE;
    return enc_commits_send(ctl, &commit);
}

static bool take_content(struct enc_ctl *ctl, struct enc_bytes *out, const char *word)
{
    if (strcmp(word, "-") == 0)
        return enc_ctl_read_file(ctl, out, word);
    if (word[0] == '@')
        return enc_ctl_read_file(ctl, out, word + 1);
    *out = enc_bytes_of_text(word);
    return true;
}

enum enc_exit enc_command_commit(struct enc_ctl *ctl, const struct enc_args *args)
{
    struct enc_commit commit = {.type = ENC_LIT("")};
    const char *batch = args->values[ENC_OPTION_BATCH];
    if (args->values[ENC_OPTION_STDIN_NDJSON])
        batch = "-";
    if (!enc_ctl_hex32(commit.enclave32, args->words[0], "ENCLAVE") || !enc_ctl_need_key(ctl))
        return ENC_EXIT_USAGE;
    if (args->word_count != (batch ? 1 : 3)) {
        enc_out_fault("commit ENCLAVE TYPE CONTENT, or commit ENCLAVE --batch FILE");
        return ENC_EXIT_USAGE;
    }
    if (batch)
        return enc_commits_batch(ctl, commit.enclave32, batch);
    commit.type = enc_bytes_of_text(args->words[1]);
    if (!enc_commits_tags(ctl, &commit.tags, args) ||
        !take_content(ctl, &commit.content, args->words[2]))
        return ENC_EXIT_USAGE;
    return enc_commits_send(ctl, &commit);
}
