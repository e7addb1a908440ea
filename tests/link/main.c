#include "link.h"

#include <stdio.h>

static bool says(const char *what, bool ok)
{
    printf("%s %s\n", ok ? "ok    " : "failed", what);
    return ok;
}

int main(void)
{
    bool ok = says("BoringSSL before OpenSSL was used", bssl_answers());
    ok = says("OpenSSL handshake", openssl_shakes_hands()) && ok;
    ok = says("BoringSSL after OpenSSL was used", bssl_answers()) && ok;
    return ok ? 0 : 1;
}
