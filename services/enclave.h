/**
 * The complete specification of one service: seven fields. Routes, tables and reads are computed
 * from them and are specified nowhere else (seed III). Pure; any thread.
 */
#pragma once

#include "services/runtime.h"

struct enc_buffer;
struct enc_json;
struct enc_read;

/** Handle one routed request. Runs on the loop that received it; answers through the exchange, now
 * or later. */
typedef void enc_handler_fn(struct enc_exchange *exchange);

/** Append the members of an answer, from a snapshot; see read.h. Runs on a worker. */
typedef enum enc_err enc_read_fn(struct enc_read *read, struct enc_buffer *out,
                                 const struct enc_json *content);

struct enc_route {
    enum enc_method method;
    const char *path; /* below the enclave, "/nodes/:id"; one ':' segment at most, at the end */
    const char *name; /* the seed's handler name, also the metric label */
    bool is_ws;       /* wants Upgrade: websocket */
    bool at_root;     /* worker level: below the mount itself, not below an enclave */
    enc_handler_fn *handler;
    enc_read_fn *read; /* instead of a handler: answered to anybody on a GET, on a POST to the asker
                          that the envelope names */
};

struct enc_routes {
    const struct enc_route *rows;
    size_t count;
};

/** .fixed Schema | .dynamic. */
struct enc_schema_mode {
    const char *fixed_json; /* roles and schema as JSON text; NULL = dynamic */
};

/** .perRequest segment | .singleton name. */
struct enc_addressing {
    unsigned segment;  /* path segment that names the enclave; 0 = singleton */
    const char *name;  /* of the singleton */
    const char *alias; /* a second first segment beside "enclave": "group", "user"; NULL = none */
};

struct enc_enclave {
    struct enc_schema_mode schema;
    bool has_dataview;
    bool has_push;
    bool has_bootstrap;
    struct enc_addressing addressing;
    bool encrypted;
    struct enc_routes extra_routes;
};

enum { ENC_ROUTE_MAX = 32, ENC_TABLE_MAX = 8 };

/** protocolRoutes ++ [wsRoute] ++ bootstrap? ++ extraRoutes, in this order, into rows; returns
 * their number. */
size_t enc_enclave_routes(const struct enc_enclave *enclave,
                          const struct enc_route *rows[ENC_ROUTE_MAX]);

/** The six protocol routes, without the WebSocket route. Static storage. */
struct enc_routes enc_protocol_routes(void);

/** Names of the table families the service needs; returns their number (1, or 2 with a DataView).
 */
size_t enc_enclave_tables(const struct enc_enclave *enclave, const char *names[ENC_TABLE_MAX]);

/** The GET rows of extra_routes when there is a DataView, else none; returns their number. */
size_t enc_enclave_reads(const struct enc_enclave *enclave,
                         const struct enc_route *rows[ENC_ROUTE_MAX]);
