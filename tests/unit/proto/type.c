#include "proto/type.h"

#include "logic.h"

#include <criterion/criterion.h>
#include <signal.h>

Test(type, every_predefined_name_is_known)
{
    for (unsigned i = ENC_TYPE_CONTENT + 1; i < ENC_TYPE_COUNT; i++) {
        const struct enc_type_row *row = enc_type_row((enum enc_type)i);
        struct enc_bytes name = enc_bytes_of_text(row->name);
        cr_assert_eq(enc_type_of(name), i, "%s", row->name);
        cr_assert(enc_type_is_predefined(name));
        cr_assert(enc_type_is_well_formed(name));
        cr_assert_neq(row->family, ENC_FAMILY_CONTENT);
    }
}

Test(type, other_names_are_content)
{
    const char *const NAMES[] = {"Post", "grant", "Grant2", "Gran", "", "*", "Message"};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        cr_assert_eq(enc_type_of(enc_bytes_of_text(NAMES[i])), ENC_TYPE_CONTENT, "%s", NAMES[i]);
        cr_assert_not(enc_type_is_predefined(enc_bytes_of_text(NAMES[i])));
    }
    cr_assert_eq(enc_type_of(ENC_LIT("Grant\0")), ENC_TYPE_CONTENT);
}

Test(type, families)
{
    cr_assert_eq(enc_type_row(ENC_TYPE_CONTENT)->family, ENC_FAMILY_CONTENT);
    cr_assert_eq(enc_type_row(ENC_TYPE_MANIFEST)->family, ENC_FAMILY_MANIFEST);
    cr_assert_eq(enc_type_row(ENC_TYPE_DELETE)->family, ENC_FAMILY_CHANGE);
    cr_assert_eq(enc_type_row(ENC_TYPE_MIGRATE)->family, ENC_FAMILY_LIFECYCLE);
    cr_assert_eq(enc_type_row(ENC_TYPE_AC_BUNDLE)->family, ENC_FAMILY_AC);
    cr_assert_eq(enc_type_row(ENC_TYPE_OWN)->family, ENC_FAMILY_RESERVED);
}

Test(type, aborts_outside_the_list, .signal = SIGABRT)
{
    enc_type_row(ENC_TYPE_COUNT);
}

Test(type, grammar)
{
    static const char LONG64[] = "Aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    const char *const GOOD[] = {"A", "z", "Post", "a.b:c-d_e9", LONG64};
    const char *const BAD[] = {"", "9a", "_a", "a b", "a\n", "a/b", ".a", "\xc3\xa4", "a*"};
    for (size_t i = 0; i < sizeof GOOD / sizeof *GOOD; i++)
        cr_assert(enc_type_is_well_formed(enc_bytes_of_text(GOOD[i])), "%s", GOOD[i]);
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        cr_assert_not(enc_type_is_well_formed(enc_bytes_of_text(BAD[i])), "%s", BAD[i]);
    cr_assert_not(enc_type_is_well_formed(text("%sa", LONG64)));
    cr_assert_not(enc_type_is_well_formed(ENC_LIT("a\0b")));
}
