/** The rig of tests/unit/services for many inputs: one host that is started anew now and then. */
#pragma once

#include "tests/unit/services/host_fixture.h"

/** The rig, with an enclave of OWNER and MEMBER and some events in it, at rest. */
struct rig *house_open(void);

/** The enclave, and an event in it that OWNER may update. */
const uint8_t *house_enclave(void);
const uint8_t *house_event(void);

/** Forget calls, sockets and memory of this input; is_whole: the process dies and starts again. */
void house_rest(bool is_whole);

/** Whether a frame or an answer is a JSON object of this type ("Error"); of that code unless NULL. */
bool house_says(struct enc_bytes text, const char *type, const char *code);
