#include "world.h"

#include <criterion/criterion.h>

static const char ROLES[] = "['Member','Pending','Blocked','Sink']";
static const char ROWS[] =
    "[{'event':'Grant','role':'Owner','ops':['C'],'target_roles':['Member','Sink']},"
    "{'event':'Grant_Push','role':'Owner','ops':['C']},"
    "{'event':'Revoke','role':'Owner','ops':['C'],'target_roles':['Member','Sink']},"
    "{'event':'Revoke','role':'Self','ops':['C'],'target_roles':['Pending']},"
    "{'event':'Move','role':'Owner','ops':['C'],'target_roles':['Member','Pending']},"
    "{'event':'Move','role':'Self','ops':['C'],'target_roles':['Pending']},"
    "{'event':'Force_Move','role':'Owner','ops':['C'],'target_roles':['Member','Pending','Blocked',"
    "'Owner']},"
    "{'event':'Transfer_Owner','role':'Owner','ops':['C']},"
    "{'event':'Transfer_Owner','role':'Member','ops':['C']},"
    "{'event':'Gate','role':'Owner','ops':['C']},"
    "{'event':'AC_Bundle','role':'Owner','ops':['C']},"
    "{'event':'AC_Bundle','role':'Member','ops':['C']},"
    "{'event':'*','role':'Sink','ops':['P']}]";

struct world *world(void)
{
    static struct world made;
    made = (struct world){.manifest = manifest_with(ROLES, ROWS), .has_push = true};
    return &made;
}

static enum enc_err get_roles(void *self, struct enc_roles *out, const uint8_t identity32[32])
{
    const struct world *w = self;
    static const char *const WHO[] = {"owner", "member", "seq"};
    const struct enc_roles roles[] = {roles_of(1, -1), w->member, w->seq};
    *out = (struct enc_roles){0};
    for (unsigned i = 0; i < 3; i++) {
        struct enc_key key = vector_key(WHO[i]);
        if (memcmp(key.pub32, identity32, 32) == 0)
            *out = roles[i];
    }
    return w->source_err;
}

const char *pub(const char *who)
{
    struct enc_key key = vector_key(who);
    return hex32(key.pub32);
}

struct enc_bytes fill(const char *content)
{
    struct enc_buffer out = buffer();
    for (; *content; content++) {
        const char *who = content[0] != '%'   ? NULL
                          : content[1] == 'M' ? "member"
                          : content[1] == 'S' ? "seq"
                                              : "owner";
        if (who)
            content++;
        enc_buffer_add(&out, who ? enc_bytes_of_text(pub(who)) : enc_bytes_of(content, 1));
    }
    return text("%s", written(&out));
}

void make_input(struct input *made, struct world *w)
{
    made->source = (struct enc_roles_source){get_roles, w};
    made->input = (struct enc_ac_input){
        .manifest = &w->manifest,
        .commit = &w->commit,
        .gates = &w->gates,
        .roles = &made->source,
        .endpoints = w->endpoints,
        .has_push = w->has_push,
    };
}

enum enc_err step_7(struct world *w, const char *who, const char *type, const char *content)
{
    struct input made;
    w->commit = commit_by(who, type, fill(content), NULL);
    make_input(&made, w);
    return enc_ac_rbac(arena(), &made.input);
}

enum enc_err step_8(struct world *w)
{
    struct input made;
    make_input(&made, w);
    return enc_ac_plan(&w->plan, arena(), &made.input);
}

enum enc_err plan(struct world *w, const char *who, const char *type, const char *content)
{
    EXPECT_OK(step_7(w, who, type, content));
    return step_8(w);
}

void expect_change(const struct world *w, size_t index, const char *who, struct enc_roles after)
{
    struct enc_key key = vector_key(who);
    cr_assert_lt(index, w->plan.change_count);
    const struct enc_role_change *change = &w->plan.changes[index];
    cr_assert_eq(memcmp(change->identity32, key.pub32, 32), 0);
    cr_assert(enc_roles_equal(&change->after, &after));
    cr_assert_not(enc_roles_equal(&change->before, &change->after));
}
