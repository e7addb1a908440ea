/**
 * Checks of our own promises. They stay in release builds: a broken invariant must not sign
 * history.
 */
#pragma once

/** Write the failed condition and its place to stderr and abort. Any thread. Weak: who has a log
 * gives it the form of a line there. */
_Noreturn void enc_check_failed(const char *condition, const char *file, int line);

/**
 * Abort with the condition's text when it does not hold. Only for mistakes of ours, never for
 * input.
 */
#define ENC_CHECK(condition)                                                                       \
    ((condition) ? (void)0 : enc_check_failed(#condition, __FILE__, __LINE__))

#define ENC_MUST_USE __attribute__((warn_unused_result))
