#include "net/log_line.h"

#include <string.h>
#include <time.h>

enum { TEXT_MAX_LEN = 1024, END_LEN = 8, DIGITS_MAX = 20 };

struct row {
    enum enc_log_level level;
    enum enc_log_room room;
    const char *symbol;
    const char *message;
};

#define ENC_HAPPENING(symbol, level, room, message, fields)                                        \
    {ENC_LOG_##level, ENC_LOG_##room, #symbol, message},
static const struct row ROWS[] = {
#include "net/log.def"
};
#undef ENC_HAPPENING

static const char *const LEVEL_NAMES[] = {"debug", "info", "warn", "error"};
static const char *const ROOM_NAMES[] = {"net", "services", "store"};

enum enc_log_level enc_happening_level(enum enc_happening happening)
{
    return ROWS[happening].level;
}

enum enc_log_room enc_happening_room(enum enc_happening happening)
{
    return ROWS[happening].room;
}

const char *enc_log_level_name(enum enc_log_level level)
{
    return LEVEL_NAMES[level];
}

const char *enc_log_room_name(enum enc_log_room room)
{
    return ROOM_NAMES[room];
}

/* Whether it fits; the end of a string and of the object always does. */
static bool add(struct enc_log_line *line, const char *text, size_t len)
{
    if (len > sizeof line->text - END_LEN - line->len)
        return false;
    memcpy(line->text + line->len, text, len);
    line->len += len;
    return true;
}

static void add_text(struct enc_log_line *line, const char *text)
{
    add(line, text, strlen(text));
}

static bool add_byte(struct enc_log_line *line, unsigned char byte)
{
    static const char HEX[] = "0123456789abcdef";
    const char plain = (char)(byte < 0x7f ? byte : '?');
    const char quoted[] = {'\\', (char)byte};
    const char escape[] = {'\\', 'u', '0', '0', HEX[byte >> 4], HEX[byte & 15]};
    if (byte == '"' || byte == '\\')
        return add(line, quoted, sizeof quoted);
    return byte < 0x20 ? add(line, escape, sizeof escape) : add(line, &plain, 1);
}

static void add_quoted(struct enc_log_line *line, const char *text)
{
    add(line, "\"", 1);
    for (size_t i = 0; text[i] && i < TEXT_MAX_LEN; i++) {
        if (!add_byte(line, (unsigned char)text[i]))
            break;
    }
    line->text[line->len++] = '"';
}

/* At least width digits. */
static void add_digits(struct enc_log_line *line, uint64_t number, unsigned width)
{
    char digits[DIGITS_MAX];
    char *at = digits + sizeof digits;
    while (number > 0 || digits + sizeof digits < at + width || at == digits + sizeof digits) {
        *--at = (char)('0' + number % 10);
        number /= 10;
    }
    add(line, at, (size_t)(digits + sizeof digits - at));
}

static void add_member(struct enc_log_line *line, const char *key, const char *text)
{
    add_text(line, ",\"");
    add_text(line, key);
    add_text(line, "\":");
    add_quoted(line, text);
}

struct date {
    uint64_t year;
    unsigned month, day;
};

/* Of the Gregorian calendar, counted from March so that a leap day ends a year. gmtime_r takes a
 * lock. */
static struct date date_of(uint64_t days)
{
    uint64_t since = days + 719468; /* from March 1st of the year 0 */
    uint64_t era = since / 146097, of_era = since % 146097;
    uint64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    unsigned of_year = (unsigned)(of_era - (365 * year + year / 4 - year / 100));
    unsigned month = (5 * of_year + 2) / 153; /* 0 = March */
    return (struct date){
        .year = era * 400 + year + (month >= 10),
        .month = month < 10 ? month + 3 : month - 9,
        .day = of_year - (153 * month + 2) / 5 + 1,
    };
}

static void add_time(struct enc_log_line *line)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t seconds = (uint64_t)now.tv_sec, of_day = seconds % 86400;
    struct date date = date_of(seconds / 86400);
    const struct {
        uint64_t number;
        unsigned width;
        const char *behind;
    } PARTS[] = {
        {date.year, 4, "-"},
        {date.month, 2, "-"},
        {date.day, 2, "T"},
        {of_day / 3600, 2, ":"},
        {of_day / 60 % 60, 2, ":"},
        {of_day % 60, 2, "."},
        {(uint64_t)now.tv_nsec / 1000000, 3, "Z\""},
    };
    add_text(line, "{\"time\":\"");
    for (size_t i = 0; i < sizeof PARTS / sizeof *PARTS; i++) {
        add_digits(line, PARTS[i].number, PARTS[i].width);
        add_text(line, PARTS[i].behind);
    }
}

static void add_event(struct enc_log_line *line, const char *symbol)
{
    add_text(line, ",\"event\":\"");
    for (; *symbol; symbol++) {
        char small = (char)(*symbol >= 'A' && *symbol <= 'Z' ? *symbol + 'a' - 'A' : *symbol);
        add(line, &small, 1);
    }
    add_text(line, "\"");
}

void enc_log_line_begin(struct enc_log_line *line, enum enc_happening happening)
{
    const struct row *row = &ROWS[happening];
    line->len = 0;
    add_time(line);
    add_member(line, "level", LEVEL_NAMES[row->level]);
    add_member(line, "room", ROOM_NAMES[row->room]);
    add_event(line, row->symbol);
    add_member(line, "msg", row->message);
}

void enc_log_line_add(struct enc_log_line *line, const struct enc_log_field *field)
{
    if (strlen(field->key) + DIGITS_MAX + END_LEN > sizeof line->text - END_LEN - line->len)
        return; /* no room for any of it */
    if (field->text) {
        add_member(line, field->key, field->text);
        return;
    }
    add_text(line, ",\"");
    add_text(line, field->key);
    add_text(line, "\":");
    add_digits(line, field->number, 1);
}

void enc_log_line_end(struct enc_log_line *line)
{
    memcpy(line->text + line->len, "}\n", 2);
    line->len += 2;
}
