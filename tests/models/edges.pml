/*
 * What the models share. GO moves a state of the program along an edge: it must be a row of a *.def
 * (else the model does not compile), the state must be where the row begins, and it is counted. In a
 * model a state is named with s_ before it, because words such as empty are the language's.
 */
#define EDGE(machine, from, event, to) machine##_##from##_##event##_##to,
c_decl {
enum edge {
#include "tests/models/rows.def"
EDGES
};
static unsigned long taken[EDGES];
}
#undef EDGE
#define EDGE(machine, from, event, to) #machine " " #from " " #event " " #to,
c_decl {
static const char *const NAMES[EDGES] = {
#include "tests/models/rows.def"
};
__attribute__((destructor)) static void tell(void)
{
    for (unsigned i = 0; i < EDGES; i++)
        if (taken[i])
            printf("edge %s\n", NAMES[i]);
}
}
#define GO(machine, var, from, event, to) \
    d_step { \
        assert(var == s_##from); \
        var = s_##to; \
        c_code { taken[machine##_##from##_##event##_##to]++; } \
    }
