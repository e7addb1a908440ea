/* The capability matrix of this build's services: a column each, computed from their fields. */
#include "services/matrix.h"
#include "net/encctl/out.h"
#include "services/host.h"

#include <stdio.h>

enum { COLUMN = 16 };

/* Padded by characters: a cell may be a sign of three bytes. */
static void print_cell(const char *text)
{
    int width = 0;
    for (const char *at = text; *at; at++)
        width += ((unsigned char)*at & 0xc0) != 0x80;
    printf("%s%*s", text, width < COLUMN ? COLUMN - width : 1, "");
}

static void print_row(size_t row)
{
    char cell[ENC_MATRIX_CELL_MAX];
    print_cell(enc_matrix_name(row));
    for (size_t i = 0; i < enc_service_count(); i++) {
        enc_matrix_cell(cell, row, &enc_service_at(i)->enclave);
        print_cell(cell);
    }
    puts("");
}

static void print_head(void)
{
    print_cell("");
    for (size_t i = 0; i < enc_service_count(); i++)
        print_cell(enc_service_at(i)->name);
    puts("");
}

static void print_json(struct enc_ctl *ctl, size_t row)
{
    struct enc_buffer buffer;
    char cell[ENC_MATRIX_CELL_MAX];
    enc_buffer_init(&buffer, &ctl->arena, 1024);
    enc_json_put_raw(&buffer, "{");
    enc_json_member_text(&buffer, "row", enc_bytes_of_text(enc_matrix_name(row)));
    for (size_t i = 0; i < enc_service_count(); i++) {
        enc_matrix_cell(cell, row, &enc_service_at(i)->enclave);
        enc_json_member_text(&buffer, enc_service_at(i)->name, enc_bytes_of_text(cell));
    }
    enc_json_put_raw(&buffer, "}");
    enc_out_buffer(&buffer);
}

enum enc_exit enc_command_matrix(struct enc_ctl *ctl, const struct enc_args *args)
{
    (void)args;
    if (!ctl->is_json)
        print_head();
    for (size_t row = 0; row < ENC_MATRIX_ROW_COUNT; row++) {
        if (ctl->is_json)
            print_json(ctl, row);
        else
            print_row(row);
    }
    return ENC_EXIT_OK;
}
