#include "net/man.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { LINE_FULL = 64 };

static bool is_section_new;

static void put_byte(char byte)
{
    if (byte == '\\')
        fputs("\\e", stdout);
    else if (byte == '-')
        fputs("\\-", stdout);
    else
        putchar(byte);
}

/* A line that begins with '.' or '\'' would be a request. */
static void put(const char *text)
{
    size_t column = 0;
    for (; *text; text++) {
        bool ends_line = *text == '\n' || (*text == ' ' && column > LINE_FULL);
        if (column == 0 && (*text == '.' || *text == '\''))
            fputs("\\&", stdout);
        put_byte(ends_line ? '\n' : *text);
        column = ends_line ? 0 : column + 1;
    }
}

static void put_capitals(const char *text)
{
    for (; *text; text++)
        putchar(toupper((unsigned char)*text));
}

void enc_man_page(const char *name, int section, const char *about)
{
    fputs(".\\\" Made from the program's tables; deploy/build/pages writes it again.\n.TH ",
          stdout);
    put_capitals(name);
    printf(" %d \"\" \"enclaved %s\"\n", section, ENC_VERSION);
    puts(".nh\n.ad l\n.SH NAME");
    put(name);
    fputs(" \\- ", stdout);
    put(about);
    putchar('\n');
}

void enc_man_section(const char *title)
{
    printf(".SH %s\n", title);
    is_section_new = true;
}

void enc_man_text(const char *text)
{
    if (!is_section_new)
        puts(".PP");
    is_section_new = false;
    put(text);
    putchar('\n');
}

void enc_man_item(const char *term, const char *value, const char *text)
{
    fputs(".TP\n\\fB", stdout);
    put(term);
    fputs("\\fR", stdout);
    if (value && *value) {
        fputs(" \\fI", stdout);
        put(value);
        fputs("\\fR", stdout);
    }
    putchar('\n');
    put(text);
    putchar('\n');
}

void enc_man_sample(const char *text)
{
    puts(".RS 4\n.nf");
    put(text);
    puts("\n.fi\n.RE");
}

void enc_man_see(const char *pages)
{
    enc_man_section("SEE ALSO");
    while (*pages) {
        size_t name_len = strcspn(pages, "(");
        size_t len = strcspn(pages, " ");
        const char *comma = pages[len] ? "," : "";
        printf(".BR %.*s %.*s%s\n", (int)name_len, pages, (int)(len - name_len), pages + name_len,
               comma);
        pages += len + (pages[len] == ' ');
    }
}
