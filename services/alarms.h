/**
 * The stored alarms as what the timers are refilled from: read in slices while the node works, so
 * that a start costs the same however many there are.
 */
#pragma once

#include "actors/timer.h"
#include "services/inside.h"

/** How the timers of host find its stored alarms. */
void enc_alarms_keep(struct enc_timer_keeper *keeper, struct enc_host *host);
