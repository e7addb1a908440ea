/**
 * Steps of a state machine, for tests/models: every one that the program takes must be an edge of
 * the model of that name. Only a build with ENC_EDGES tells them; in any other nothing is left of
 * them, and what they name is not evaluated.
 */
#pragma once

#include <stdbool.h>

#ifdef ENC_EDGES
/**
 * The machine of this name that belongs to of went from one state to another. from: as it was
 * found; NULL: wherever it was left; "NONE": not begun. to: NULL: it stayed; "NONE": ended. Aborts
 * when no model has that edge, or the machine was left somewhere else. Any thread. Names are
 * static.
 */
void enc_edge(const char *machine, const void *of, const char *from, const char *event,
              const char *to);
/** The same for each of a list, whose first member is its link to the next. */
void enc_edge_list(const char *machine, const void *list, const char *event, const char *to);
#define ENC_EDGE(machine, of, from, event, to) enc_edge(machine, of, from, event, to)
#define ENC_EDGE_LIST(machine, list, event, to) enc_edge_list(machine, list, event, to)
#else
/** Never called: lets the compiler check and forget what is told. */
static inline bool enc_edge_none(const char *machine, const void *of, const char *from,
                                 const char *event, const char *to)
{
    return machine && of && from && event && to;
}
#define ENC_EDGE(machine, of, from, event, to)                                                     \
    ((void)(0 && enc_edge_none(machine, of, from, event, to)))
#define ENC_EDGE_LIST(machine, list, event, to) ENC_EDGE(machine, list, NULL, event, to)
#endif
