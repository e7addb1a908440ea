/** What functions leave behind below the frame of who called them. Pure; any thread. */
#pragma once

/** Bytes below the caller's frame that are wiped: the deepest function we wrap uses 5280. */
enum { ENC_STACK_WIPED_LEN = 6144 };

/**
 * Overwrite the stack below the caller's frame. Called behind a function of a library that had a
 * secret in its locals and left it there, from the very function that called it.
 */
void enc_stack_wipe(void);
