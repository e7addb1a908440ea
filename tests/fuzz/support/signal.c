/* net tells of a failed check itself and then wants to die of SIGABRT unhandled; libFuzzer has to
 * see that signal, or the input is lost. Programs with net are linked with --wrap=signal. */
#include <signal.h>

sighandler_t __wrap_signal(int number, sighandler_t handler);

sighandler_t __wrap_signal(int number, sighandler_t handler)
{
    (void)number, (void)handler;
    return SIG_DFL;
}
