/** HTTP/1 heads, read off RFC 9112 once more: 2.2, 3.2, 5.1, 5.2, 6.3. */
#pragma once

#include "proto/base/bytes.h"

struct naive_head {
    bool is_sound;
    size_t len; /* with the empty line at its end; 0 when there is none */
};

struct naive_head naive_head_read(struct enc_bytes raw);
