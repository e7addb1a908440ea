/**
 * The configuration: one struct, filled by precedence flag > environment > file > default from the
 * rows of config.def. Everything here runs on the main thread before others start, and again at
 * SIGHUP into a second struct.
 */
#pragma once

#include "net/confine.h"
#include "net/log.h"
#include "net/otel.h"
#include "services/host.h"

/** Values of a repeatable key. */
struct enc_config_list {
    char **items;
    size_t count;
};

#define ENC_TEXT(field, ...) char *field;
#define ENC_ADDRESS(field, ...) char *field;
#define ENC_NUMBER(field, ...) uint64_t field;
#define ENC_BOOL(field, ...) bool field;
#define ENC_CHOICE(field, ...) uint32_t field;
#define ENC_RATIO(field, ...) uint32_t field; /* millionths */
#define ENC_LIST(field, ...) struct enc_config_list field;
#define ENC_LIMIT(field, ...)
/** Where a value came from. */
enum enc_config_source {
    ENC_CONFIG_DEFAULT,
    ENC_CONFIG_FILE,
    ENC_CONFIG_ENVIRON,
    ENC_CONFIG_FLAG,
};

struct enc_config_origin {
    enum enc_config_source source;
    uint32_t line; /* of the file */
};

enum { ENC_CONFIG_ROWS_MAX = 256 };

/** One member per row, and a row for each service's hosts; texts are owned by the struct and never
 * NULL. */
struct enc_config {
    const char *path; /* of the file, NULL = none; the sources' */
    struct enc_config_origin origins[ENC_CONFIG_ROWS_MAX]; /* by row */
    struct enc_limits limits;
    struct enc_otel otel;                          /* not of the rows: the environment's */
    struct enc_config_list hosts[ENC_SERVICE_MAX]; /* services.<name>.hosts, by service */
#include "net/config.def"
};
#undef ENC_TEXT
#undef ENC_ADDRESS
#undef ENC_NUMBER
#undef ENC_BOOL
#undef ENC_CHOICE
#undef ENC_RATIO
#undef ENC_LIST
#undef ENC_LIMIT

#define ENC_LIVE_FIXED(field)
#define ENC_LIVE_LIVE(field) uint64_t field;
#define ENC_TEXT(...)
#define ENC_ADDRESS(...)
#define ENC_NUMBER(field, key, flag, reload, ...) ENC_LIVE_##reload(field)
#define ENC_BOOL(...)
#define ENC_CHOICE(...)
#define ENC_RATIO(...)
#define ENC_LIST(...)
#define ENC_LIMIT(...)
/** The numbers that follow SIGHUP, by value: each loop has a copy of its own, which changes between
 * two of its turns, all at once. */
struct enc_config_live {
#include "net/config.def"
};
#undef ENC_LIVE_FIXED
#undef ENC_LIVE_LIVE
#undef ENC_TEXT
#undef ENC_ADDRESS
#undef ENC_NUMBER
#undef ENC_BOOL
#undef ENC_CHOICE
#undef ENC_RATIO
#undef ENC_LIST
#undef ENC_LIMIT

/** durability, by the order of its names. */
enum { ENC_DURABILITY_COMMIT, ENC_DURABILITY_OS };

/** security.landlock, by the order of its names. */
enum { ENC_LANDLOCK_OFF, ENC_LANDLOCK_ON };

/** websocket.deflate, by the order of its names. */
enum { ENC_DEFLATE_OFF, ENC_DEFLATE_ON };

/** Lines for people, one per fault: the source, the key and what is wrong with its value. */
struct enc_config_fault {
    char text[4096]; /* lines separated by '\n'; what does not fit is left out */
    unsigned count;
};

/** What the command line asks for. */
enum enc_config_action {
    ENC_CONFIG_RUN,
    ENC_CONFIG_CHECK,     /* --check-config */
    ENC_CONFIG_PRINT,     /* --print-config */
    ENC_CONFIG_SCHEMA,    /* --print-schema */
    ENC_CONFIG_REFERENCE, /* --print-reference */
    ENC_CONFIG_MAN,       /* --print-man */
    ENC_CONFIG_MAN_FILE,  /* --print-man-file */
    ENC_CONFIG_VERSION,   /* --version */
    ENC_CONFIG_HELP,      /* --help */
};

/** Where values come from. */
struct enc_config_sources {
    int argc;
    char **argv;       /* argv[0] is skipped */
    char **environ_kv; /* "NAME=value", NULL-terminated */
};

/** Every default. */
void enc_config_init(struct enc_config *config);

/** Free what it owns. */
void enc_config_fini(struct enc_config *config);

/**
 * Read all sources into config (which must be initialised) and check them together. False with
 * every fault told when anything is wrong; config then holds a mixture and is only good for fini.
 * Blocks on the file.
 *
 * Source: server.md, enclaved
 */
ENC_MUST_USE bool enc_config_load(struct enc_config *config, enum enc_config_action *action,
                                  struct enc_config_fault *fault,
                                  const struct enc_config_sources *sources);

/** A copy of the numbers that follow SIGHUP. */
struct enc_config_live enc_config_live(const struct enc_config *config);

/** Print what action asks for to stdout; nothing for ENC_CONFIG_RUN. */
void enc_config_answer(const struct enc_config *config, enum enc_config_action action);

/**
 * Take over what may change while running (rows marked LIVE) from fresh; call changed for every
 * other key whose value differs.
 */
void enc_config_adopt(struct enc_config *config, struct enc_config *fresh,
                      void (*changed)(const char *key));
