/* query: stored events, one page or all. */
#include "net/encctl/pages.h"

#include "net/encctl/out.h"

#include <stdio.h>

static bool tell(void *opaque, const struct enc_json *element)
{
    const struct enc_ctl *ctl = (const struct enc_ctl *)opaque;
    if (ctl->is_json)
        enc_out_line(element->text);
    else
        enc_out_element(element);
    return true;
}

enum enc_exit enc_command_query(struct enc_ctl *ctl, const struct enc_args *args)
{
    uint8_t enclave32[32];
    struct enc_pages pages = {.ctl = ctl, .enclave32 = enclave32, .element = tell, .opaque = ctl};
    const char *filter = args->values[ENC_OPTION_FILTER];
    if (!enc_ctl_hex32(enclave32, args->words[0], "ENCLAVE") ||
        !enc_pages_filter(&pages, filter ? filter : "{}"))
        return ENC_EXIT_USAGE;
    if (!enc_pages_read(&pages, args->values[ENC_OPTION_ALL] != NULL))
        return ENC_EXIT_REFUSED;
    if (pages.has_next && !args->values[ENC_OPTION_ALL])
        fprintf(stderr, "encctl: there is more; --all reads on\n");
    return ENC_EXIT_OK;
}
