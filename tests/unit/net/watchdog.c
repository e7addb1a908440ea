#include "net/watchdog.h"
#include "net/metric.h"

#include <criterion/criterion.h>

enum { LIMIT_MS = 3000 };

static struct enc_watchdog *dog;
static struct enc_thread_pulse pulses[] = {{"loop", 0, 0}, {"worker", 0, 0}, {"worker", 1, 0}};
static char text[128];

static void init(void)
{
    dog = enc_watchdog_new(3);
}

static void fini(void)
{
    enc_watchdog_free(dog);
}

TestSuite(watchdog, .init = init, .fini = fini);

static void look(uint64_t now_ms)
{
    enc_watchdog_look(dog, pulses, now_ms, LIMIT_MS);
}

static bool is_alive(void)
{
    return enc_watchdog_json(dog, text, sizeof text);
}

Test(watchdog, before_its_first_look_all_is_well)
{
    cr_assert(is_alive());
    cr_assert_str_eq(text, "{\"status\":\"ok\"}");
}

Test(watchdog, who_stays_at_one_piece_of_work_is_stuck_after_the_limit_and_not_before)
{
    pulses[1].beats = 7;
    for (uint64_t now_ms = 100000; now_ms < 103000; now_ms += 1000) {
        look(now_ms);
        cr_assert(is_alive(), "%lu", (unsigned long)now_ms);
    }
    look(103000);
    cr_assert(!is_alive());
    cr_assert_str_eq(text, "{\"status\":\"stuck\",\"threads\":[\"worker 0\"]}");
    cr_assert_eq(enc_metric_get(ENC_METRIC_THREADS_STUCK), 1);
    look(104000);
    cr_assert_eq(enc_metric_get(ENC_METRIC_STALLS), 1, "told once");
    pulses[1].beats = 8;
    look(105000);
    cr_assert(is_alive());
    cr_assert_eq(enc_metric_get(ENC_METRIC_THREADS_STUCK), 0);
    cr_assert_eq(enc_metric_get(ENC_METRIC_STALLS), 1);
}

Test(watchdog, who_waits_for_work_or_goes_on_is_not_stuck)
{
    pulses[0].beats = 4;
    for (uint64_t now_ms = 0; now_ms < 60000; now_ms += 1000) {
        pulses[2].beats += 2;
        pulses[2].beats |= 1;
        look(now_ms);
        cr_assert(is_alive());
    }
}

Test(watchdog, time_counts_from_the_look_that_saw_the_work_first)
{
    pulses[2].beats = 1;
    look(0);
    look(2000);
    pulses[2].beats = 3;
    look(4000);
    look(6000);
    cr_assert(is_alive());
    look(7000);
    cr_assert(!is_alive());
}

Test(watchdog, a_list_that_does_not_fit_is_cut_and_stays_json)
{
    char small[56];
    for (size_t i = 0; i < 3; i++)
        pulses[i].beats = 1;
    look(0);
    look(LIMIT_MS);
    cr_assert(!enc_watchdog_json(dog, small, sizeof small));
    cr_assert_str_eq(small, "{\"status\":\"stuck\",\"threads\":[\"loop 0\",\"worker 0\"]}");
}
