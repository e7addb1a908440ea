#include "services/api.h"

#include "proto/json.h"

#include <stdio.h>

enum { TEMPLATE_MAX = 128, REF_MAX = 320, OPERATION_MAX = 160 };

static const struct enc_api_route ROUTES[] = {
#define ENC_API_ROUTE(...) {__VA_ARGS__},
#define ENC_API_FRAME(...)
#define ENC_API_SCHEMA(...)
#include "services/api.def"
#undef ENC_API_ROUTE
#undef ENC_API_FRAME
#undef ENC_API_SCHEMA
};

enum sender { CLIENT, NODE };
static const struct frame {
    const char *name;
    enum sender sender;
    const char *summary;
} FRAMES[] = {
#define ENC_API_ROUTE(...)
#define ENC_API_FRAME(...) {__VA_ARGS__},
#define ENC_API_SCHEMA(...)
#include "services/api.def"
#undef ENC_API_ROUTE
#undef ENC_API_FRAME
#undef ENC_API_SCHEMA
};

static const struct schema {
    const char *name;
    const char *json;
} SCHEMAS[] = {
#define ENC_API_ROUTE(...)
#define ENC_API_FRAME(...)
#define ENC_API_SCHEMA(name, ...) {name, #__VA_ARGS__},
#include "services/api.def"
#undef ENC_API_ROUTE
#undef ENC_API_FRAME
#undef ENC_API_SCHEMA
};

enum {
    ROUTE_COUNT = sizeof ROUTES / sizeof ROUTES[0],
    FRAME_COUNT = sizeof FRAMES / sizeof FRAMES[0],
    SCHEMA_COUNT = sizeof SCHEMAS / sizeof SCHEMAS[0],
};

const struct enc_api_route *enc_api_route_of(const char *name)
{
    for (size_t i = 0; i < ROUTE_COUNT; i++)
        if (strcmp(ROUTES[i].name, name) == 0)
            return &ROUTES[i];
    return NULL;
}

static void put_member(struct enc_buffer *out, const char *name, const char *text)
{
    enc_json_member_text(out, name, enc_bytes_of_text(text));
}

static void open_member(struct enc_buffer *out, const char *name)
{
    enc_json_member(out, name);
    enc_json_put_raw(out, "{");
}

static void put_ref(struct enc_buffer *out, const char *where, const char *name)
{
    char text[REF_MAX];
    snprintf(text, sizeof text, "#/%s/%s", where, name);
    enc_json_put_raw(out, "{");
    put_member(out, "$ref", text);
    enc_json_put_raw(out, "}");
}

static void put_schema_ref(struct enc_buffer *out, const char *schema)
{
    enc_json_member(out, "schema");
    put_ref(out, "components/schemas", schema);
}

static void put_info(struct enc_buffer *out, const struct enc_api *api)
{
    open_member(out, "info");
    put_member(out, "title", api->service->name);
    put_member(out, "version", api->version);
    put_member(
        out, "description",
        "A service of enclaved. Below an enclave, /<id>/... is the same as /enclave/<id>/...");
    enc_json_member_raw(out, "license",
                        ENC_LIT("{\"name\":\"Apache-2.0\",\"url\":"
                                "\"https://www.apache.org/licenses/LICENSE-2.0\"}"));
    enc_json_put_raw(out, "}");
}

static void put_schemas(struct enc_buffer *out)
{
    open_member(out, "schemas");
    for (size_t i = 0; i < SCHEMA_COUNT; i++)
        enc_json_member_raw(out, SCHEMAS[i].name, enc_bytes_of_text(SCHEMAS[i].json));
    enc_json_put_raw(out, "}");
}

/* A place in the document: a row at the mount itself, or the same row below an enclave. */
struct place {
    const struct enc_route *route;
    bool is_below;
};

enum { PLACE_MAX = 2 * ENC_ROUTE_MAX };

static size_t places_of(struct place places[PLACE_MAX], const struct enc_service *service)
{
    const struct enc_route *rows[ENC_ROUTE_MAX];
    bool is_singleton = service->enclave.addressing.segment == 0;
    size_t row_count = enc_service_routes(service, rows);
    size_t count = 0;
    for (size_t i = 0; i < row_count; i++) {
        bool is_root_row = strcmp(rows[i]->path, "/") == 0;
        if (is_singleton || rows[i]->at_root || is_root_row)
            places[count++] = (struct place){rows[i], false};
        if (!is_singleton && !rows[i]->at_root)
            places[count++] = (struct place){rows[i], true};
    }
    return count;
}

/* "/nodes/:id" becomes "/nodes/{id}", below an enclave "/enclave/{enclave}/nodes/{id}". */
static void template_of(char out[TEMPLATE_MAX], const struct place *place)
{
    const char *path = place->route->path;
    const char *colon = strchr(path, ':');
    const char *before = place->is_below ? "/enclave/{enclave}" : "";
    if (place->is_below && strcmp(path, "/") == 0)
        path = "";
    if (colon)
        snprintf(out, TEMPLATE_MAX, "%s%.*s{%s}", before, (int)(colon - path), path, colon + 1);
    else
        snprintf(out, TEMPLATE_MAX, "%s%s", before, path);
}

static const char *method_of(const struct enc_route *route)
{
    return route->method == ENC_METHOD_GET ? "get" : "post";
}

static void put_operation_id(struct enc_buffer *out, const struct place *place)
{
    char path[TEMPLATE_MAX];
    char id[OPERATION_MAX];
    template_of(path, place);
    snprintf(id, sizeof id, "%s%s", method_of(place->route), path);
    for (char *c = id; *c; c++)
        if (strchr("/{}-.", *c))
            *c = '_';
    put_member(out, "operationId", id);
}

/* One parameter; begins with a comma unless it is the first. */
struct parameter {
    struct enc_bytes name;
    const char *in;
    const char *schema;
    bool is_required;
};

static void put_parameter(struct enc_buffer *out, bool *is_first, const struct parameter *parameter)
{
    enc_json_put_raw(out, *is_first ? "{" : ",{");
    *is_first = false;
    enc_json_member_text(out, "name", parameter->name);
    put_member(out, "in", parameter->in);
    enc_json_member_raw(out, "required",
                        parameter->is_required ? ENC_LIT("true") : ENC_LIT("false"));
    put_schema_ref(out, parameter->schema);
    enc_json_put_raw(out, "}");
}

/* "from!=Count to=Count" */
static void put_query(struct enc_buffer *out, bool *is_first, const char *query)
{
    char schema[TEMPLATE_MAX];
    while (*query) {
        size_t name_len = strcspn(query, "!=");
        bool is_required = query[name_len] == '!';
        const char *type = query + name_len + is_required + 1;
        size_t type_len = strcspn(type, " ");
        snprintf(schema, sizeof schema, "%.*s", (int)type_len, type);
        put_parameter(
            out, is_first,
            &(struct parameter){enc_bytes_of(query, name_len), "query", schema, is_required});
        query = type + type_len + strspn(type + type_len, " ");
    }
}

static void put_parameters(struct enc_buffer *out, const struct place *place, const char *query)
{
    bool is_first = true;
    const char *colon = strchr(place->route->path, ':');
    enc_json_member(out, "parameters");
    enc_json_put_raw(out, "[");
    if (place->is_below)
        put_parameter(out, &is_first,
                      &(struct parameter){ENC_LIT("enclave"), "path", "Hex32", true});
    if (colon)
        put_parameter(out, &is_first,
                      &(struct parameter){enc_bytes_of_text(colon + 1), "path", "Hex32", true});
    put_query(out, &is_first, query);
    enc_json_put_raw(out, "]");
}

static void put_content(struct enc_buffer *out, const char *schema)
{
    open_member(out, "content");
    open_member(out, "application/json");
    put_schema_ref(out, schema);
    enc_json_put_raw(out, "}}");
}

static void put_body(struct enc_buffer *out, const char *schema)
{
    open_member(out, "requestBody");
    enc_json_member_raw(out, "required", ENC_LIT("true"));
    put_content(out, schema);
    enc_json_put_raw(out, "}");
}

static void put_answer(struct enc_buffer *out, const char *status, const char *what,
                       const char *schema)
{
    open_member(out, status);
    put_member(out, "description", what);
    if (*schema)
        put_content(out, schema);
    enc_json_put_raw(out, "}");
}

static void put_answers(struct enc_buffer *out, const struct enc_route *route, const char *gives)
{
    open_member(out, "responses");
    if (route->is_ws)
        put_answer(out, "101", "the connection is a WebSocket", "");
    else
        put_answer(out, "200", "done", gives);
    if (strcmp(gives, "Founded") == 0)
        put_answer(out, "201", "founded", gives);
    enc_json_member_raw(out, "4XX", ENC_LIT("{\"$ref\":\"#/components/responses/Error\"}"));
    enc_json_member_raw(out, "5XX", ENC_LIT("{\"$ref\":\"#/components/responses/Error\"}"));
    enc_json_put_raw(out, "}");
}

static void put_operation(struct enc_buffer *out, const struct place *place)
{
    /* A service of another build has routes that api.def does not know. */
    const struct enc_api_route unknown = {place->route->name, place->route->name, "", "",
                                          "Document"};
    const struct enc_api_route *row = enc_api_route_of(place->route->name);
    if (!row)
        row = &unknown;
    open_member(out, method_of(place->route));
    put_operation_id(out, place);
    put_member(out, "summary", row->summary);
    put_parameters(out, place, row->query);
    if (*row->takes)
        put_body(out, row->takes);
    put_answers(out, place->route, row->gives);
    enc_json_put_raw(out, "}");
}

static bool is_same_path(const struct place *a, const struct place *b)
{
    return a->is_below == b->is_below && strcmp(a->route->path, b->route->path) == 0;
}

static bool is_seen(const struct place *places, size_t i)
{
    for (size_t j = 0; j < i; j++)
        if (is_same_path(&places[j], &places[i]))
            return true;
    return false;
}

static void put_paths(struct enc_buffer *out, const struct enc_service *service)
{
    struct place places[PLACE_MAX];
    char path[TEMPLATE_MAX];
    size_t count = places_of(places, service);
    open_member(out, "paths");
    for (size_t i = 0; i < count; i++) {
        if (is_seen(places, i))
            continue;
        template_of(path, &places[i]);
        open_member(out, path);
        for (size_t j = i; j < count; j++)
            if (is_same_path(&places[i], &places[j]))
                put_operation(out, &places[j]);
        enc_json_put_raw(out, "}");
    }
    enc_json_put_raw(out, "}");
}

/* A mount without '/' at its end, but "/" itself. */
static void put_server(struct enc_buffer *out, const char *mount)
{
    size_t len = strlen(mount);
    if (len > 1 && mount[len - 1] == '/')
        len--;
    enc_json_member(out, "servers");
    enc_json_put_raw(out, "[{");
    enc_json_member_text(out, "url", enc_bytes_of(mount, len));
    enc_json_put_raw(out, "}]");
}

void enc_api_put_openapi(struct enc_buffer *out, const struct enc_api *api)
{
    enc_json_put_raw(out, "{");
    put_member(out, "openapi", "3.1.0");
    put_info(out, api);
    put_server(out, api->mount);
    enc_json_member_raw(out, "security", ENC_LIT("[]")); /* every message carries its own proof */
    put_paths(out, api->service);
    open_member(out, "components");
    put_schemas(out);
    open_member(out, "responses");
    put_answer(out, "Error", "refused; the code says why", "Error");
    enc_json_put_raw(out, "}}}");
}

static void put_channel(struct enc_buffer *out, const char *name, const char *address)
{
    open_member(out, name);
    put_member(out, "address", address);
    if (strchr(address, '{'))
        enc_json_member_raw(out, "parameters",
                            ENC_LIT("{\"enclave\":{\"description\":\"64 hex digits\"}}"));
    open_member(out, "messages");
    for (size_t i = 0; i < FRAME_COUNT; i++) {
        enc_json_member(out, FRAMES[i].name);
        put_ref(out, "components/messages", FRAMES[i].name);
    }
    enc_json_put_raw(out, "}}");
}

static void put_flow(struct enc_buffer *out, const char *name, const char *channel,
                     enum sender sender)
{
    char where[TEMPLATE_MAX];
    bool is_first = true;
    open_member(out, name);
    put_member(out, "action", sender == CLIENT ? "receive" : "send");
    enc_json_member(out, "channel");
    put_ref(out, "channels", channel);
    enc_json_member(out, "messages");
    enc_json_put_raw(out, "[");
    snprintf(where, sizeof where, "channels/%s/messages", channel);
    for (size_t i = 0; i < FRAME_COUNT; i++) {
        if (FRAMES[i].sender != sender)
            continue;
        enc_json_put_raw(out, is_first ? "" : ",");
        put_ref(out, where, FRAMES[i].name);
        is_first = false;
    }
    enc_json_put_raw(out, "]}");
}

static void put_messages(struct enc_buffer *out)
{
    open_member(out, "messages");
    for (size_t i = 0; i < FRAME_COUNT; i++) {
        open_member(out, FRAMES[i].name);
        put_member(out, "summary", FRAMES[i].summary);
        put_member(out, "contentType", "application/json");
        enc_json_member(out, "payload");
        put_ref(out, "components/schemas", FRAMES[i].name);
        enc_json_put_raw(out, "}");
    }
    enc_json_put_raw(out, "}");
}

void enc_api_put_asyncapi(struct enc_buffer *out, const struct enc_api *api)
{
    enc_json_put_raw(out, "{");
    put_member(out, "asyncapi", "3.0.0");
    put_info(out, api);
    put_member(out, "defaultContentType", "application/json");
    open_member(out, "channels");
    put_channel(out, "mount", "/");
    if (api->service->enclave.addressing.segment != 0)
        put_channel(out, "enclave", "/enclave/{enclave}");
    enc_json_put_raw(out, "}");
    open_member(out, "operations");
    put_flow(out, "fromClient", "mount", CLIENT);
    put_flow(out, "toClient", "mount", NODE);
    enc_json_put_raw(out, "}");
    open_member(out, "components");
    put_schemas(out);
    put_messages(out);
    enc_json_put_raw(out, "}}");
}
