/** How the room says why it refuses. */
#pragma once

#include "store/data.h"

/** Write the line and hand fault back. */
enum enc_store_fault enc_note(struct enc_store_note *note, enum enc_store_fault fault,
                              const char *format, ...) __attribute__((format(printf, 3, 4)));
