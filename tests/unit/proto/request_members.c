#include "logic.h"
#include "proto/request.h"
#include "proto/smt.h"

#include <criterion/criterion.h>

static const char ID[] = "08d92394d1e997a5121f251a03efbfda6825814feab97147be5bded0b11674a0";

Test(request_members, an_inclusion_names_its_leaf_in_one_way)
{
    struct enc_inclusion_request request;
    EXPECT_OK(enc_inclusion_request_take(&request, json("{'leaf_index':3,'tree_size':5}")));
    cr_assert_not(request.by_event);
    cr_assert(request.has_tree_size);
    cr_assert_eq(request.leaf_index, 3);
    const struct enc_json *by_event = json_exact(text("{'event_id':'%s'}", ID));
    EXPECT_OK(enc_inclusion_request_take(&request, by_event));
    cr_assert(request.by_event);
    expect_hex(enc_bytes_of(request.event_id32, 32), ID);
    const char *const BAD[] = {"{}", "{'leaf_index':-1}", "{'leaf_index':'3'}", "{'event_id':'08'}",
                               "{'leaf_index':3,'tree_size':null}"};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        cr_assert_eq(enc_inclusion_request_take(&request, json(BAD[i])), ENC_ERR_INVALID_REQUEST,
                     "%s", BAD[i]);
    EXPECT_ERR(enc_inclusion_request_take(&request,
                                          json_exact(text("{'leaf_index':3,'event_id':'%s'}", ID))),
               INVALID_REQUEST);
}

Test(request_members, the_leaf_must_be_in_the_tree_and_the_tree_in_the_log)
{
    uint64_t size = 0;
    struct enc_inclusion_request request = {.has_tree_size = false};
    EXPECT_OK(enc_inclusion_bounds(&size, &request, 6, 7));
    cr_assert_eq(size, 7);
    EXPECT_ERR(enc_inclusion_bounds(&size, &request, 7, 7), LEAF_NOT_FOUND);
    request = (struct enc_inclusion_request){.has_tree_size = true, .tree_size = 5};
    EXPECT_OK(enc_inclusion_bounds(&size, &request, 4, 7));
    cr_assert_eq(size, 5);
    EXPECT_ERR(enc_inclusion_bounds(&size, &request, 5, 7), LEAF_NOT_FOUND);
    EXPECT_ERR(enc_inclusion_bounds(&size, &request, 4, 4), INVALID_RANGE);
}

Test(request_members, consistency_parameters)
{
    static const struct {
        const char *query;
        bool is_good;
        uint64_t from, to;
    } ROWS[] = {
        {"from=1&to=2", true, 1, 2},
        {"from=3", true, 3, 9},
        {"x=1&from=0&to=9&", true, 0, 9},
        {"to=2", false, 0, 0},
        {"from=1&from=1", false, 0, 0},
        {"from=5&to=4", false, 0, 0},
        {"from=1&to=10", false, 0, 0},
        {"from=", false, 0, 0},
        {"from=1x", false, 0, 0},
        {"from=-1", false, 0, 0},
        {"", false, 0, 0},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct enc_consistency_request request;
        enum enc_err err =
            enc_consistency_request_take(&request, enc_bytes_of_text(ROWS[i].query), 9);
        cr_assert_eq(err, ROWS[i].is_good ? ENC_ERR_OK : ENC_ERR_INVALID_RANGE, "%s",
                     ROWS[i].query);
        cr_assert(err != ENC_ERR_OK || (request.from == ROWS[i].from && request.to == ROWS[i].to),
                  "%s", ROWS[i].query);
    }
}

Test(request_members, a_pull_has_a_url_and_bounds)
{
    struct enc_pull_request pull;
    EXPECT_OK(enc_pull_request_take(&pull, json("{'url':'u'}")));
    cr_assert_eq(pull.limit, 100);
    cr_assert_eq(pull.push_seq.last, UINT64_MAX);
    EXPECT_OK(enc_pull_request_take(
        &pull, json("{'url':'u','limit':1000,'push_seq':{'start_after':4,'end_at':9}}")));
    cr_assert_eq(pull.limit, 1000);
    cr_assert_eq(pull.push_seq.first, 5);
    EXPECT_ERR(enc_pull_request_take(&pull, json("{}")), INVALID_QUERY);
    EXPECT_ERR(enc_pull_request_take(&pull, json("{'url':'u','limit':0}")), INVALID_QUERY);
    EXPECT_ERR(enc_pull_request_take(&pull, json("{'url':'u','limit':1001}")), INVALID_QUERY);
    EXPECT_ERR(enc_pull_request_take(&pull, json("{'url':'u','push_seq':4}")), INVALID_RANGE);
}
