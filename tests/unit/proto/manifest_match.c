#include "logic.h"

#include <criterion/criterion.h>
#include <signal.h>

static const char SCHEMA[] = "{'roles':['A','B'],'schema':[{'event':'Post','role':'A',"
                             "'ops':['C','R']},{'event':'*','role':'B','ops':['R']}]}";

static enum enc_err match(const char *rbac, const char *schema)
{
    return enc_manifest_matches_schema(json(rbac), arena(), text("%s", schema));
}

Test(manifest_match, order_of_members_and_other_members_of_rbac_do_not_matter)
{
    EXPECT_OK(match(SCHEMA, SCHEMA));
    EXPECT_OK(match("{'initial_state':{'Owner':[]},'schema':[{'ops':['C','R'],'role':'A',"
                    "'event':'Post'}, {'role':'B','ops':['R'],'event':'*'}],'roles':['A','B']}",
                    SCHEMA));
}

/** One difference each. */
Test(manifest_match, everything_else_does)
{
    static const char *const OTHERS[] = {
        "{'roles':['B','A'],'schema':[{'event':'Post','role':'A','ops':['C','R']},"
        "{'event':'*','role':'B','ops':['R']}]}",
        "{'roles':['A','B','C'],'schema':[{'event':'Post','role':'A','ops':['C','R']},"
        "{'event':'*','role':'B','ops':['R']}]}",
        "{'roles':['A','B'],'schema':[{'event':'*','role':'B','ops':['R']},"
        "{'event':'Post','role':'A','ops':['C','R']}]}",
        "{'roles':['A','B'],'schema':[{'event':'Post','role':'A','ops':['R','C']},"
        "{'event':'*','role':'B','ops':['R']}]}",
        "{'roles':['A','B'],'schema':[{'event':'Post','role':'A','ops':['C','R']}]}",
        "{'roles':['A','B'],'schema':[{'event':'Post','role':'A','ops':['C','R'],'x':1},"
        "{'event':'*','role':'B','ops':['R']}]}",
        "{'roles':['A','B'],'schema':[{'event':'post','role':'A','ops':['C','R']},"
        "{'event':'*','role':'B','ops':['R']}]}",
        "{'roles':['A','B'],'schema':{}}",
        "{'roles':['A','B']}",
        "{}",
    };
    for (size_t i = 0; i < sizeof OTHERS / sizeof *OTHERS; i++)
        cr_assert_eq(match(OTHERS[i], SCHEMA), ENC_ERR_SCHEMA_MISMATCH, "%s", OTHERS[i]);
}

Test(manifest_match, a_schema_of_ours_that_is_no_schema_is_a_mistake, .signal = SIGABRT)
{
    (void)match(SCHEMA, "{'roles':['A','B']}");
}
