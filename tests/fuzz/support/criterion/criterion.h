/** The assertions of the fixtures in tests/unit without Criterion: a fuzz target uses their rig. */
#pragma once

#include "proto/base/check.h"

#define cr_assert(condition, ...) ENC_CHECK(condition)
#define cr_assert_eq(a, b, ...) ENC_CHECK((a) == (b))
#define cr_assert_lt(a, b, ...) ENC_CHECK((a) < (b))
#define cr_assert_not_null(pointer, ...) ENC_CHECK((pointer) != NULL)
#define cr_log_warn(...) ((void)0)
