/** Giving up what only root may do. Main thread, before others start. */
#pragma once

#include "proto/base/check.h"

/**
 * Become user (a name of the system's), with its groups and no capability, for good; "" changes
 * nobody. In any case no program that this process starts can gain rights, and its memory stays
 * closed. Returns NULL, or why not, a static text; the process is then to end.
 */
ENC_MUST_USE const char *enc_privilege_drop(const char *user);
