/** Queries page by page (protocol.md 8.4). Main thread. */
#pragma once

#include "net/encctl/node.h"

/** One element of a Response; dies with the call. False ends the reading, which then has failed. */
typedef bool enc_pages_element(void *opaque, const struct enc_json *element);

struct enc_pages {
    struct enc_ctl *ctl;
    const uint8_t *enclave32;
    const struct enc_json *filter; /* an object */
    enc_pages_element *element;
    void *opaque;
    bool has_next;
    uint64_t next;
};

/** Parse the filter of the command line. False, and told why, when it is no JSON object. */
ENC_MUST_USE bool enc_pages_filter(struct enc_pages *pages, const char *text);

/** Append `"filter":{...}`, behind the page that pages->next names when has_next. */
void enc_pages_put_filter(struct enc_buffer *out, const struct enc_pages *pages);

/** Read one page, or all until nothing is left. False: no answer, refused, or element said so. */
ENC_MUST_USE bool enc_pages_read(struct enc_pages *pages, bool all);
