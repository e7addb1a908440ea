/**
 * The documents of one service at its mount: OpenAPI 3.1 of its routes, AsyncAPI 3 of its
 * WebSocket. Paths come from the route tables, so a route cannot be left out; what is said of them
 * comes from api.def. Pure; any thread.
 */
#pragma once

#include "services/host.h"

struct enc_buffer;

/** What a document is made for. */
struct enc_api {
    const struct enc_service *service;
    const char *mount; /* as /info/node shows it: "/", "/chat", "//host/" */
    const char *version;
};

/** What is known of a route beside its row. */
struct enc_api_route {
    const char *name; /* as in struct enc_route */
    const char *summary;
    const char *query; /* "from!=Count to=Count" */
    const char *takes; /* schema of the body; "": none */
    const char *gives; /* schema of the answer; "": no JSON */
};

/** The row of a handler's name; NULL when api.def has none. */
const struct enc_api_route *enc_api_route_of(const char *name);

/** Append the document. */
void enc_api_put_openapi(struct enc_buffer *out, const struct enc_api *api);
void enc_api_put_asyncapi(struct enc_buffer *out, const struct enc_api *api);
