/*
 * floor_http FILE: an h2o handler that answers every request with the bytes of FILE out of memory,
 * on one loop. What a read cannot cost less than. Prints its port, then serves until it is killed.
 */
#include <h2o.h>
#include <stdio.h>
#include <stdlib.h>

enum { BODY_MAX = 1 << 24, BACKLOG = 1024 };

static h2o_globalconf_t config;
static h2o_context_t context;
static h2o_accept_ctx_t accepting;
static h2o_iovec_t answer;

static _Noreturn void fail(const char *what)
{
    perror(what);
    exit(1);
}

static int on_request(h2o_handler_t *self, h2o_req_t *req)
{
    static h2o_generator_t generator;
    (void)self;
    req->res.status = 200;
    req->res.reason = "OK";
    req->res.content_length = answer.len;
    h2o_add_header(&req->pool, &req->res.headers, H2O_TOKEN_CONTENT_TYPE, NULL,
                   H2O_STRLIT("application/json"));
    h2o_add_header(&req->pool, &req->res.headers, H2O_TOKEN_CACHE_CONTROL, NULL,
                   H2O_STRLIT("no-store"));
    h2o_add_header(&req->pool, &req->res.headers, H2O_TOKEN_ACCESS_CONTROL_ALLOW_ORIGIN, NULL,
                   H2O_STRLIT("*"));
    h2o_start_response(req, &generator);
    h2o_send(req, &answer, 1, H2O_SEND_STATE_FINAL);
    return 0;
}

static void on_closed(uv_handle_t *conn)
{
    free(conn);
}

static void on_connection(uv_stream_t *listener, int status)
{
    uv_tcp_t *conn = (uv_tcp_t *)malloc(sizeof *conn);
    if (status != 0 || !conn || uv_tcp_init(listener->loop, conn) != 0)
        fail("connection");
    if (uv_accept(listener, (uv_stream_t *)conn) != 0)
        fail("accept");
    uv_tcp_nodelay(conn, 1);
    h2o_accept(&accepting, h2o_uv_socket_create((uv_stream_t *)conn, on_closed));
}

static h2o_iovec_t read_file(const char *path)
{
    FILE *file = fopen(path, "r");
    char *data = (char *)malloc(BODY_MAX);
    if (!file || !data)
        fail(path);
    size_t len = fread(data, 1, BODY_MAX, file);
    fclose(file);
    return h2o_iovec_init(data, len);
}

static void configure(uv_loop_t *loop)
{
    h2o_config_init(&config);
    h2o_hostconf_t *host =
        h2o_config_register_host(&config, h2o_iovec_init(H2O_STRLIT("default")), 65535);
    h2o_pathconf_t *path = h2o_config_register_path(host, "/", 0);
    h2o_create_handler(path, sizeof(h2o_handler_t))->on_req = on_request;
    h2o_context_init(&context, loop, &config);
    accepting = (h2o_accept_ctx_t){.ctx = &context, .hosts = config.hosts};
}

int main(int argc, char **argv)
{
    static uv_tcp_t listener;
    struct sockaddr_in at;
    int len = sizeof at;
    uv_loop_t *loop = uv_default_loop();
    if (argc != 2)
        fail("floor_http FILE");
    answer = read_file(argv[1]);
    configure(loop);
    uv_ip4_addr("127.0.0.1", 0, &at);
    if (uv_tcp_init(loop, &listener) != 0 ||
        uv_tcp_bind(&listener, (struct sockaddr *)&at, 0) != 0 ||
        uv_listen((uv_stream_t *)&listener, BACKLOG, on_connection) != 0 ||
        uv_tcp_getsockname(&listener, (struct sockaddr *)&at, &len) != 0)
        fail("listen");
    printf("%d\n", ntohs(at.sin_port));
    fflush(stdout);
    return uv_run(loop, UV_RUN_DEFAULT);
}
