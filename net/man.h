/** Manual pages in man(7), printed to stdout. Texts are plain; what troff would take for itself is
 * escaped here. */
#pragma once

/** Begin the page name(section), whose one-line description is about. */
void enc_man_page(const char *name, int section, const char *about);

/** Begin a section of it; title in capitals. */
void enc_man_section(const char *title);

/** A paragraph. */
void enc_man_text(const char *text);

/** An item of a list: term in bold, value (NULL = none) in italics, what it is. */
void enc_man_item(const char *term, const char *value, const char *text);

/** Lines that are shown as they are. */
void enc_man_sample(const char *text);

/** References to other pages, "name(section)" each, separated by blanks. */
void enc_man_see(const char *pages);
