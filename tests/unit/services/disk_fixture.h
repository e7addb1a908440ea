/** A failing disk: the system calls through which the engine writes are replaced for this program;
 * while a fault is armed they fail as a disk would. */
#pragma once

#include <stdbool.h>

extern struct rig_disk {
    bool meta_write_fails; /* of the pages that make a transaction durable */
    bool sync_fails;
    bool is_counted;     /* a sync fails once, after those */
    unsigned syncs_left; /* that succeed */
} rig_disk;
