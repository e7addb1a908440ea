#include "proto/type.h"

#include "proto/base/check.h"

static const struct enc_type_row ROWS[] = {
    [ENC_TYPE_CONTENT] = {NULL, ENC_FAMILY_CONTENT, false, false},
    [ENC_TYPE_MANIFEST] = {"Manifest", ENC_FAMILY_MANIFEST, false, false},
    [ENC_TYPE_UPDATE] = {"Update", ENC_FAMILY_CHANGE, false, false},
    [ENC_TYPE_DELETE] = {"Delete", ENC_FAMILY_CHANGE, false, false},
    [ENC_TYPE_PAUSE] = {"Pause", ENC_FAMILY_LIFECYCLE, false, false},
    [ENC_TYPE_RESUME] = {"Resume", ENC_FAMILY_LIFECYCLE, false, false},
    [ENC_TYPE_TERMINATE] = {"Terminate", ENC_FAMILY_LIFECYCLE, false, false},
    [ENC_TYPE_MIGRATE] = {"Migrate", ENC_FAMILY_LIFECYCLE, false, false},
    [ENC_TYPE_GRANT] = {"Grant", ENC_FAMILY_AC, true, true},
    [ENC_TYPE_GRANT_PUSH] = {"Grant_Push", ENC_FAMILY_AC, true, false},
    [ENC_TYPE_REVOKE] = {"Revoke", ENC_FAMILY_AC, true, true},
    [ENC_TYPE_MOVE] = {"Move", ENC_FAMILY_AC, true, true},
    [ENC_TYPE_FORCE_MOVE] = {"Force_Move", ENC_FAMILY_AC, true, true},
    [ENC_TYPE_TRANSFER_OWNER] = {"Transfer_Owner", ENC_FAMILY_AC, false, true},
    [ENC_TYPE_GATE] = {"Gate", ENC_FAMILY_AC, false, false},
    [ENC_TYPE_AC_BUNDLE] = {"AC_Bundle", ENC_FAMILY_AC, false, false},
    [ENC_TYPE_SHARED] = {"Shared", ENC_FAMILY_RESERVED, false, false},
    [ENC_TYPE_OWN] = {"Own", ENC_FAMILY_RESERVED, false, false},
    [ENC_TYPE_TRANSFER] = {"Transfer", ENC_FAMILY_RESERVED, false, false},
};

const struct enc_type_row *enc_type_row(enum enc_type type)
{
    ENC_CHECK((unsigned)type < ENC_TYPE_COUNT);
    return &ROWS[type];
}

enum enc_type enc_type_of(struct enc_bytes name)
{
    for (unsigned type = ENC_TYPE_CONTENT + 1; type < ENC_TYPE_COUNT; type++)
        if (enc_bytes_is(name, ROWS[type].name))
            return (enum enc_type)type;
    return ENC_TYPE_CONTENT;
}

bool enc_type_is_predefined(struct enc_bytes name)
{
    return enc_type_of(name) != ENC_TYPE_CONTENT;
}

static bool is_letter(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool may_follow(uint8_t c)
{
    return is_letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == ':' || c == '-';
}

bool enc_type_is_well_formed(struct enc_bytes name)
{
    if (name.len == 0 || name.len > ENC_TYPE_LEN_MAX || !is_letter(name.data[0]))
        return false;
    for (size_t i = 1; i < name.len; i++)
        if (!may_follow(name.data[i]))
            return false;
    return true;
}
