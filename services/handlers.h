/** The handlers of the protocol routes (protocol.md 8.2). All run on the loop and answer later,
 * from a worker. */
#pragma once

#include "services/enclave.h"

enc_handler_fn
    enc_handle_multiplexed_post;     /* commit, query or pull, told apart by field presence */
enc_handler_fn enc_handle_bootstrap; /* protocol.md 11.6 */
enc_handler_fn enc_handle_create_group;
enc_handler_fn enc_handle_push; /* protocol.md 11.7 */
