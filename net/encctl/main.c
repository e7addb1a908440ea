/* Commands and options of encctl as rows: parser, help and the status of misuse come from here. */
#include "net/encctl/ctl.h"
#include "net/encctl/out.h"
#include "net/man.h"
#include "net/process.h"
#include "proto/selfcheck.h"

#include <stdio.h>

#define BIT(option) (UINT64_C(1) << ENC_OPTION_##option)

static const uint64_t EVERYWHERE =
    BIT(URL) | BIT(KEY) | BIT(JSON) | BIT(PRINT_MAN) | BIT(VERSION) | BIT(HELP);
static const uint64_t ASKING = BIT(PRINT_MAN) | BIT(VERSION) | BIT(HELP);

struct option {
    const char *name;
    const char *value; /* what to show for it; NULL: a flag */
    const char *help;
};

static const struct option OPTIONS[ENC_OPTION_COUNT] = {
    [ENC_OPTION_URL] = {"--url", "URL", "node and mount; default http://127.0.0.1:8080"},
    [ENC_OPTION_KEY] = {"--key", "FILE", "private key, made by keygen"},
    [ENC_OPTION_JSON] = {"--json", NULL, "one JSON object per line"},
    [ENC_OPTION_MANIFEST] = {"--manifest", "FILE", "content of the Manifest; - is stdin"},
    [ENC_OPTION_TAG] = {"--tag", "K=V", "a tag; may be repeated"},
    [ENC_OPTION_BATCH] = {"--batch", "FILE",
                          "commits as lines {\"type\",\"content\",\"tags\"}; - is stdin"},
    [ENC_OPTION_STDIN_NDJSON] = {"--stdin-ndjson", NULL, "the same as --batch -"},
    [ENC_OPTION_FILTER] = {"--filter", "JSON", "which events"},
    [ENC_OPTION_ALL] = {"--all", NULL, "all pages"},
    [ENC_OPTION_COUNT_MAX] = {"--count", "N", "end after N events"},
    [ENC_OPTION_NAMESPACE] = {"--namespace", "NAME", "rbac (default) or event_status"},
    [ENC_OPTION_FILE] = {"--file", "FILE",
                         "verify these lines instead of asking a node; - is stdin"},
    [ENC_OPTION_REMEMBER] = {"--remember", "FILE", "tree heads seen before; the new one is added"},
    [ENC_OPTION_SEQUENCER] = {"--sequencer", "HEX", "the sequencer that it must be"},
    [ENC_OPTION_CHECK] = {"--check", NULL, "compare only, change nothing"},
    [ENC_OPTION_NODE] = {"--node", "URL", "node and mount of the enclave; default: that of --url"},
    [ENC_OPTION_APP] = {"--app", "NAME", "what the enclave is for"},
    [ENC_OPTION_AVATAR] = {"--avatar", "TEXT", "a picture, mostly its URL"},
    [ENC_OPTION_BIO] = {"--bio", "TEXT", "about the identity"},
    [ENC_OPTION_ASK] = {"--ask", NULL, "ask the nodes that are found, too"},
    [ENC_OPTION_PRINT_MAN] = {"--print-man", NULL, "the page encctl(1)"},
    [ENC_OPTION_NO_KEY] = {"--no-key", NULL, "without the node's key"},
    [ENC_OPTION_HEADS] = {"--heads", "FILE", "tree heads that others saw; - is stdin"},
    [ENC_OPTION_REWIND] = {"--rewind", NULL, "whatever was signed after the backup"},
    [ENC_OPTION_DATA] = {"--data", "DIR", "a data directory that nobody has open"},
    [ENC_OPTION_GZIP] = {"--gzip", NULL, "compressed"},
    [ENC_OPTION_INTERVAL] = {"--interval", "S", "audit every S seconds; default 60"},
    [ENC_OPTION_ONCE] = {"--once", NULL, "audit one round and end"},
    [ENC_OPTION_STATE] = {"--state", "DIR", "what an audit has seen, and its evidence"},
    [ENC_OPTION_LOG] = {"--log", "FILE", "every happening of an audit as a JSON line"},
    [ENC_OPTION_RECEIPT] = {"--receipt", "FILE",
                            "promises to look after: lines with an event, or with commit and "
                            "receipt"},
    [ENC_OPTION_MAX_AGE] = {"--max-age", "S", "how old a tree head may be; default 120"},
    [ENC_OPTION_SPOT] = {"--spot", "N", "events looked at in each round; default 1"},
    [ENC_OPTION_VERSION] = {"--version", NULL, "the version"},
    [ENC_OPTION_HELP] = {"--help", NULL, "this text"},
};

static const struct command {
    const char *name;
    const char *words; /* for the help */
    size_t word_min;
    size_t word_max;
    uint64_t options; /* beside those that are good everywhere */
    enc_command *run;
    const char *help;
} COMMANDS[] = {
    {"keygen", "FILE", 1, 1, 0, enc_command_keygen, "make a private key, mode 0600"},
    {"pubkey", "[FILE]", 0, 1, 0, enc_command_pubkey, "its public half"},
    {"create", "", 0, 0, BIT(MANIFEST) | BIT(TAG), enc_command_create, "create an enclave"},
    {"commit", "ENCLAVE TYPE CONTENT", 1, 3, BIT(TAG) | BIT(BATCH) | BIT(STDIN_NDJSON),
     enc_command_commit, "sign and send; CONTENT - is stdin, @FILE a file"},
    {"query", "ENCLAVE", 1, 1, BIT(FILTER) | BIT(ALL), enc_command_query, "stored events"},
    {"tail", "ENCLAVE", 1, 1, BIT(FILTER) | BIT(COUNT_MAX), enc_command_tail,
     "stored events, then live ones"},
    {"sth", "ENCLAVE", 1, 1, BIT(SEQUENCER), enc_command_sth, "signed tree head, verified"},
    {"state", "ENCLAVE HEX", 2, 2, BIT(NAMESPACE), enc_command_state,
     "roles of a key or status of an event, proved"},
    {"info", "[ENCLAVE]", 0, 1, 0, enc_command_info, "about an enclave, or the node"},
    {"health", "", 0, 0, 0, enc_command_health,
     "whether a node is ready; --url is its admin listener, http://127.0.0.1:9464"},
    {"verify", "[ENCLAVE]", 0, 1, BIT(FILE) | BIT(REMEMBER) | BIT(SEQUENCER), enc_command_verify,
     "recompute the whole log and say what is wrong first"},
    {"audit", "URL[#ENCLAVE]...", 1, ENC_WORDS_MAX,
     BIT(INTERVAL) | BIT(ONCE) | BIT(STATE) | BIT(LOG) | BIT(RECEIPT) | BIT(MAX_AGE) | BIT(SPOT) |
         BIT(SEQUENCER),
     enc_command_audit, "watch enclaves from outside, over time and from several places"},
    {"evidence", "FILE...", 1, ENC_WORDS_MAX, 0, enc_command_evidence,
     "judge what an audit has found; needs no node and trusts nobody"},
    {"register", "KIND WHAT...", 2, 8, BIT(NODE) | BIT(APP) | BIT(AVATAR) | BIT(BIO),
     enc_command_register,
     "at a registry: node URI..., enclave ID, identity NAME [LABEL=ENCLAVE]..."},
    {"resolve", "ID", 1, 1, BIT(ASK), enc_command_resolve,
     "from an identity or enclave to its node, by a registry; verified"},
    {"fsck", "DIR", 1, 1, 0, enc_command_fsck,
     "the same for a data directory that nobody has open"},
    {"backup", "DIR OUT", 2, 2, BIT(NO_KEY), enc_command_backup,
     "copy a data directory, also beside its running node; OUT is as secret as the node's key"},
    {"restore", "IN DIR", 2, 2, BIT(NO_KEY), enc_command_restore,
     "make a data directory of a backup; it is held until accept"},
    {"accept", "DIR", 1, 1, BIT(HEADS) | BIT(REWIND), enc_command_accept,
     "let a node work in a held directory"},
    {"compact", "DIR", 1, 1, 0, enc_command_compact,
     "rewrite its files without free pages; nobody may have it open"},
    {"export", "ENCLAVE", 1, 1, BIT(DATA) | BIT(GZIP) | BIT(SEQUENCER), enc_command_export,
     "its whole log as a file, verified: from a node, or with --data from its directory"},
    {"import", "FILE", 1, 1, BIT(DATA) | BIT(HEADS), enc_command_import,
     "an enclave that was moved to the node of --data; - is stdin"},
    {"project", "DIR [ENCLAVE]", 1, 2, BIT(CHECK), enc_command_project,
     "make the rows of its DataViews again from their events"},
    {"matrix", "", 0, 0, 0, enc_command_matrix, "what the services can do, from their fields"},
};

enum { COMMAND_COUNT = sizeof COMMANDS / sizeof COMMANDS[0] };

static void print_option(unsigned i)
{
    char text[32];
    snprintf(text, sizeof text, "%s %s", OPTIONS[i].name, OPTIONS[i].value ? OPTIONS[i].value : "");
    printf("  %-22s %s\n", text, OPTIONS[i].help);
}

static void print_options(uint64_t mask)
{
    for (unsigned i = 0; i < ENC_OPTION_COUNT; i++)
        if (mask & UINT64_C(1) << i)
            print_option(i);
}

static enum enc_exit print_help(void)
{
    puts("encctl [--url URL] [--key FILE] [--json] COMMAND ...\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        printf("  %-8s %-22s %s\n", COMMANDS[i].name, COMMANDS[i].words, COMMANDS[i].help);
    puts("");
    print_options(UINT64_MAX);
    puts("\nStatus: 0 done, 1 refused or not true, 2 misused; of an audit also 3 misbehaviour that "
         "is proven,\n4 no answer, 5 misbehaviour that is seen and cannot be proven.");
    return ENC_EXIT_OK;
}

static enum enc_exit print_command_help(const struct command *command)
{
    printf("encctl %s %s\n  %s\n\n", command->name, command->words, command->help);
    print_options(command->options | EVERYWHERE);
    return ENC_EXIT_OK;
}

static void man_options(uint64_t mask)
{
    for (unsigned i = 0; i < ENC_OPTION_COUNT; i++)
        if (mask & UINT64_C(1) << i)
            enc_man_item(OPTIONS[i].name, OPTIONS[i].value, OPTIONS[i].help);
}

/* The command's own options behind what it does. */
static void man_command(const struct command *command)
{
    char text[512];
    int len = snprintf(text, sizeof text, "%s", command->help);
    for (unsigned i = 0; i < ENC_OPTION_COUNT; i++)
        if (command->options & UINT64_C(1) << i && len < (int)sizeof text)
            len +=
                snprintf(text + len, sizeof text - (size_t)len, "%s %s",
                         len == (int)strlen(command->help) ? ".\nOptions:" : ",", OPTIONS[i].name);
    enc_man_item(command->name, command->words, text);
}

static enum enc_exit print_man(void)
{
    enc_man_page("encctl", 1, "client and operator tool of enclaved");
    enc_man_section("SYNOPSIS");
    enc_man_text("encctl [--url URL] [--key FILE] [--json] COMMAND ...");
    enc_man_section("DESCRIPTION");
    enc_man_text(
        "encctl makes keys and enclaves, signs and sends commits, reads events, and verifies "
        "what a node says without trusting it.");
    enc_man_section("COMMANDS");
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        man_command(&COMMANDS[i]);
    enc_man_section("OPTIONS");
    man_options(UINT64_MAX);
    enc_man_section("EXIT STATUS");
    enc_man_item("0", NULL, "done");
    enc_man_item("1", NULL, "refused, or what was to be verified is not true");
    enc_man_item("2", NULL, "misused");
    enc_man_item("3", NULL, "audit: a sequencer has signed what it must not, with evidence of it");
    enc_man_item("4", NULL, "audit: a node could not be reached or would not let it look");
    enc_man_item("5", NULL,
                 "audit, evidence: something is wrong, but whoever saw it has to be believed");
    enc_man_see("enclaved.yaml(5) enclaved(8)");
    return ENC_EXIT_OK;
}

static enum enc_exit misuse(const char *what, const char *which)
{
    enc_out_fault("%s%s%s; see encctl --help", what, *which ? ": " : "", which);
    return ENC_EXIT_USAGE;
}

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(COMMANDS[i].name, name) == 0)
            return &COMMANDS[i];
    return NULL;
}

static unsigned find_option(const char *name)
{
    unsigned i = 0;
    while (i < ENC_OPTION_COUNT && strcmp(OPTIONS[i].name, name) != 0)
        i++;
    return i;
}

/* The command line taken apart; word 0 is the command itself. */
struct line {
    const struct command *command;
    struct enc_args args;
    uint64_t given;
    const char *what; /* is wrong; NULL: nothing */
    const char *which;
};

static void wrong(struct line *line, const char *what, const char *which)
{
    if (!line->what) {
        line->what = what;
        line->which = which;
    }
}

static void take_word(struct line *line, const char *word)
{
    if (!line->command) {
        line->command = find_command(word);
        if (!line->command)
            wrong(line, "no such command", word);
    } else if (line->args.word_count < line->command->word_max) {
        line->args.words[line->args.word_count++] = word;
    } else {
        wrong(line, "one word too many", word);
    }
}

static void take_value(struct line *line, unsigned option, const char *value)
{
    struct enc_args *args = &line->args;
    line->given |= UINT64_C(1) << option;
    args->values[option] = value;
    if (option != ENC_OPTION_TAG)
        return;
    if (args->tag_count < ENC_ARG_TAGS_MAX)
        args->tags[args->tag_count++] = value;
    else
        wrong(line, "too many tags", value);
}

/* Returns how many of argv were used. */
static int take(struct line *line, int argc, char **argv)
{
    unsigned option = find_option(argv[0]);
    if (option == ENC_OPTION_COUNT) {
        bool looks_like_one = argv[0][0] == '-' && argv[0][1] == '-';
        if (looks_like_one)
            wrong(line, "no such option", argv[0]);
        else
            take_word(line, argv[0]);
        return 1;
    }
    if (!OPTIONS[option].value) {
        take_value(line, option, "");
        return 1;
    }
    if (argc < 2) {
        wrong(line, "the option needs a value", argv[0]);
        return 1;
    }
    take_value(line, option, argv[1]);
    return 2;
}

static void check(struct line *line)
{
    if (line->given & ASKING)
        return;
    if (!line->command) {
        wrong(line, "no command", "");
        return;
    }
    uint64_t strange = line->given & ~(line->command->options | EVERYWHERE);
    if (strange)
        wrong(line, "the command has no such option", OPTIONS[__builtin_ctzll(strange)].name);
    if (line->args.word_count < line->command->word_min)
        wrong(line, "words are missing", line->command->words);
}

static enum enc_exit run(const struct line *line)
{
    struct enc_ctl ctl;
    enum enc_exit status = ENC_EXIT_USAGE;
    ENC_CHECK(line->command != NULL);
    if (enc_ctl_init(&ctl, &line->args))
        status = line->command->run(&ctl, &line->args);
    enc_ctl_fini(&ctl);
    enc_out_flush();
    return status;
}

int main(int argc, char **argv)
{
    struct line line = {.command = NULL};
    enc_process_seal();
    ENC_CHECK(enc_crypto_self_check() && curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
    for (int i = 1; i < argc;)
        i += take(&line, argc - i, argv + i);
    check(&line);
    if (line.what)
        return (int)misuse(line.what, line.which);
    if (line.given & BIT(VERSION))
        return puts("encctl " ENC_VERSION) < 0;
    if (line.given & BIT(PRINT_MAN))
        return (int)print_man();
    if (line.given & BIT(HELP))
        return (int)(line.command ? print_command_help(line.command) : print_help());
    enum enc_exit status = run(&line);
    curl_global_cleanup();
    return (int)status;
}
