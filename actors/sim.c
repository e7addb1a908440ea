#include "actors/sim.h"

#include "actors/splitmix.h"

#include <stdlib.h>

struct enc_sim {
    uint64_t state; /* of the generator */
    uint64_t now_ms;
    uint64_t steps;
    uint64_t trace;
    struct enc_sim_source *sources;
    bool is_stepping;
};

enum enc_err enc_sim_open(struct enc_sim **out, uint64_t seed, uint64_t now_ms)
{
    struct enc_sim *sim = (struct enc_sim *)calloc(1, sizeof *sim);
    if (!sim)
        return ENC_ERR_INTERNAL;
    sim->state = seed;
    sim->now_ms = now_ms;
    *out = sim;
    return ENC_ERR_OK;
}

static struct enc_sim_source **link_to(struct enc_sim *sim, const struct enc_sim_source *source)
{
    struct enc_sim_source **link = &sim->sources;
    while (*link != source)
        link = &(*link)->next;
    return link;
}

void enc_sim_add(struct enc_sim *sim, struct enc_sim_source *source)
{
    source->next = NULL;
    *link_to(sim, NULL) = source;
}

void enc_sim_remove(struct enc_sim *sim, struct enc_sim_source *source)
{
    *link_to(sim, source) = source->next;
}

static size_t count_choices(const struct enc_sim *sim)
{
    size_t count = 0;
    for (struct enc_sim_source *at = sim->sources; at; at = at->next)
        count += at->choices(at->self, sim->now_ms);
    return count;
}

static void run_choice(const struct enc_sim *sim, size_t choice)
{
    struct enc_sim_source *at = sim->sources;
    size_t own = at->choices(at->self, sim->now_ms);
    while (choice >= own) {
        choice -= own;
        at = at->next;
        own = at->choices(at->self, sim->now_ms);
    }
    at->run(at->self, choice);
}

/* FNV-1a over the pairs (choice, out of how many). */
static void note(struct enc_sim *sim, size_t choice, size_t count)
{
    sim->steps++;
    sim->trace = (sim->trace ^ choice) * 0x100000001b3;
    sim->trace = (sim->trace ^ count) * 0x100000001b3;
}

bool enc_sim_step(struct enc_sim *sim)
{
    ENC_CHECK(!sim->is_stepping);
    size_t count = count_choices(sim);
    if (count == 0)
        return false;
    size_t choice = (size_t)(enc_sim_random(sim) % count);
    note(sim, choice, count);
    sim->is_stepping = true;
    run_choice(sim, choice);
    sim->is_stepping = false;
    return true;
}

void enc_sim_advance(struct enc_sim *sim, uint64_t ms)
{
    sim->now_ms += ms;
}

uint64_t enc_sim_now_ms(const struct enc_sim *sim)
{
    return sim->now_ms;
}

uint64_t enc_sim_due_ms(const struct enc_sim *sim)
{
    uint64_t due_ms = UINT64_MAX;
    for (const struct enc_sim_source *at = sim->sources; at; at = at->next) {
        uint64_t own_ms = at->due_ms ? at->due_ms(at->self) : UINT64_MAX;
        due_ms = own_ms < due_ms ? own_ms : due_ms;
    }
    return due_ms;
}

uint64_t enc_sim_random(struct enc_sim *sim)
{
    return enc_splitmix(&sim->state);
}

uint64_t enc_sim_steps(const struct enc_sim *sim)
{
    return sim->steps;
}

uint64_t enc_sim_trace(const struct enc_sim *sim)
{
    return sim->trace;
}

void enc_sim_close(struct enc_sim *sim)
{
    ENC_CHECK(!sim->sources);
    free(sim);
}
