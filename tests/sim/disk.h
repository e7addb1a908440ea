/**
 * The disk below the store's data file. The system calls through which the engine writes are
 * replaced for this program: what was written stays visible as long as the process lives, but is
 * durable only once a sync has succeeded. A power cut keeps the durable image and any part of the
 * rest, in pieces of 512 bytes. One file at a time, one thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** What the next operation of a kind meets. */
enum disk_fault {
    DISK_FAULT_NONE,
    DISK_FAULT_SYNC,  /* fdatasync fails; what it should have kept is kept in part */
    DISK_FAULT_WRITE, /* a write of pages fails, after a part of it */
    DISK_FAULT_META,  /* the write that makes a transaction current fails */
    DISK_FAULT_FULL,  /* nothing fits behind the end of the file */
    DISK_FAULT_COUNT
};

/** Watch this file; as it is now it is durable. */
void disk_attach(const char *path, uint64_t seed);

/** The data file was opened anew (another life of the process); pages not yet durable stay so. */
void disk_reopen(const char *path);
void disk_detach(void);

/** Let the next count operations meet a fault; FULL lasts until it is set to 0. */
void disk_arm(enum disk_fault fault, uint32_t count);

/** The power fails after this many further operations, within the last of them; 0: it does not. */
void disk_cut_after(uint32_t operations);

/** Nothing of this process reaches the file from now on: it is dead. */
void disk_cut_now(void);
bool disk_is_cut(void);

/** Count one operation that is not of the disk, so that a cut can fall upon it. */
void disk_tick(void);

/** How often a fault was met; those after which nobody knows what is durable. */
uint64_t disk_faults_met(void);
uint64_t disk_doubts_met(void);

/** The machine is on again. is_power_cut: the file becomes what the disk has kept; otherwise only
 * the process has died and everything it wrote is still there. The file must be closed. */
void disk_recover(bool is_power_cut);
