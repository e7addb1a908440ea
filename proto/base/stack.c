#include "proto/base/stack.h"

#include <stdint.h>
#include <string.h>

__attribute__((noinline)) void enc_stack_wipe(void)
{
    uint8_t rest[ENC_STACK_WIPED_LEN];
    explicit_bzero(rest, sizeof rest);
}
