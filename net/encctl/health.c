/* health: what /readyz of the admin listener says; the HEALTHCHECK of the image. */
#include "net/encctl/http.h"
#include "net/encctl/out.h"

static void tell_reasons(const struct enc_ctl *ctl, const struct enc_json *answer)
{
    const struct enc_json *reasons = enc_json_get(answer, "reasons");
    struct enc_bytes text;
    for (const struct enc_json *it = reasons ? reasons->child : NULL; it; it = it->next)
        if (enc_json_text(it, &text))
            enc_out_fault("%s: %.*s", ctl->url, (int)text.len, (const char *)text.data);
}

enum enc_exit enc_command_health(struct enc_ctl *ctl, const struct enc_args *args)
{
    struct enc_answer answer;
    struct enc_bytes status;
    if (!args->values[ENC_OPTION_URL])
        ctl->url = "http://127.0.0.1:9464";
    if (!enc_http_get(ctl, &ctl->arena, &answer, "/readyz"))
        return ENC_EXIT_REFUSED;
    if (!enc_json_text(enc_json_get(answer.json, "status"), &status)) {
        enc_out_fault("%s: not the admin listener of a node (status %ld)", ctl->url, answer.status);
        return ENC_EXIT_REFUSED;
    }
    if (ctl->is_json)
        enc_out_line(answer.body);
    else
        enc_out_text("status", status);
    tell_reasons(ctl, answer.json);
    return answer.status == 200 ? ENC_EXIT_OK : ENC_EXIT_REFUSED;
}
