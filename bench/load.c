/* load COMMAND [--NAME VALUE]...: see README.md. Prints one JSON object. */
#include "bench/load.h"

#include <stdlib.h>

static const struct command {
    const char *name;
    int (*run)(const struct load_options *options);
} COMMANDS[] = {
    {"sign", load_run_sign},     {"seal", load_run_seal},     {"send", load_run_send},
    {"fanout", load_run_fanout}, {"writev", load_run_writev}, {"floor", load_run_floor},
    {"sync", load_run_sync},
};

enum kind { TEXT, NUMBER };

#define ROW(kind, field)                                                                           \
    {                                                                                              \
        "--" #field, kind, offsetof(struct load_options, field)                                    \
    }
static const struct option {
    const char *name;
    enum kind kind;
    size_t offset;
} OPTIONS[] = {
    ROW(TEXT, wire),        ROW(TEXT, host),        ROW(TEXT, port),      ROW(TEXT, file),
    ROW(TEXT, expect),      ROW(TEXT, answers),     ROW(TEXT, dir),       ROW(TEXT, seed),
    ROW(TEXT, queries),     ROW(TEXT, node),        ROW(TEXT, enclave),   ROW(NUMBER, pid),
    ROW(NUMBER, count),     ROW(NUMBER, warm),      ROW(NUMBER, first),   ROW(NUMBER, enclaves),
    ROW(NUMBER, rate),      ROW(NUMBER, in_flight), ROW(NUMBER, bundle),  ROW(NUMBER, connections),
    ROW(NUMBER, grants),    ROW(NUMBER, len),       ROW(NUMBER, deflate), ROW(NUMBER, subscribers),
    ROW(NUMBER, bundle_ms), ROW(NUMBER, refusable),
};

static _Noreturn void misuse(const char *what)
{
    fprintf(stderr, "load: %s\n", what);
    exit(2);
}

static void set(struct load_options *options, const char *name, const char *value)
{
    for (size_t i = 0; i < sizeof OPTIONS / sizeof OPTIONS[0]; i++) {
        uint8_t *field = (uint8_t *)options + OPTIONS[i].offset;
        if (strcmp(OPTIONS[i].name, name) != 0)
            continue;
        char *end = NULL;
        size_t number = strtoul(value, &end, 10);
        if (OPTIONS[i].kind == NUMBER && (*end || end == value))
            misuse(name);
        if (OPTIONS[i].kind == NUMBER)
            memcpy(field, &number, sizeof number);
        else
            memcpy(field, &value, sizeof value);
        return;
    }
    misuse(name);
}

const struct load_wire *load_wire_of(const char *name)
{
    static const struct load_wire *const WIRES[] = {&load_h1, &load_h2, &load_ws};
    for (size_t i = 0; i < sizeof WIRES / sizeof WIRES[0]; i++)
        if (strcmp(WIRES[i]->name, name) == 0)
            return WIRES[i];
    misuse("no such wire");
}

int main(int argc, char **argv)
{
    struct load_options options = {.wire = "ws",
                                   .host = "127.0.0.1",
                                   .port = "8080",
                                   .expect = "",
                                   .dir = ".",
                                   .seed = "load",
                                   .count = 1000,
                                   .enclaves = 1,
                                   .in_flight = 64,
                                   .connections = 1,
                                   .bundle = 256,
                                   .bundle_ms = 5000,
                                   .len = 700,
                                   .subscribers = 1};
    if (argc < 2 || argc % 2 != 0)
        misuse("load COMMAND [--NAME VALUE]...");
    for (int i = 2; i < argc; i += 2)
        set(&options, argv[i], argv[i + 1]);
    ENC_CHECK(options.enclaves > 0 && options.connections > 0 && options.in_flight > 0);
    for (size_t i = 0; i < sizeof COMMANDS / sizeof COMMANDS[0]; i++)
        if (strcmp(COMMANDS[i].name, argv[1]) == 0)
            return COMMANDS[i].run(&options);
    misuse("no such command");
}
