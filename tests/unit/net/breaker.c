#include "net/breaker.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct enc_breaker *breaker;

static bool admits(const char *url, uint64_t now_ms)
{
    return enc_breaker_admits(breaker, enc_bytes_of_text(url), now_ms);
}

static void note(const char *url, bool is_good, uint64_t now_ms)
{
    enc_breaker_note(breaker, enc_bytes_of_text(url), is_good, now_ms);
}

static void fail(const char *url, unsigned count, uint64_t now_ms)
{
    for (unsigned i = 0; i < count; i++) {
        cr_assert(admits(url, now_ms));
        note(url, false, now_ms);
    }
}

static void begin(void)
{
    breaker = enc_breaker_new(3, 1000);
}

static void end(void)
{
    enc_breaker_free(breaker);
}

TestSuite(breaker, .init = begin, .fini = end);

Test(breaker, opens_after_failures_in_a_row)
{
    fail("https://a.example/x", 2, 0);
    note("https://a.example/x", true, 0);
    fail("https://a.example/x", 3, 0);
    cr_assert_not(admits("https://a.example/other", 999), "the host, not the URL");
    cr_assert_not(admits("https://A.EXAMPLE?q", 999));
    cr_assert(admits("https://a.example:8443/x", 999), "another port is another host");
    cr_assert(admits("https://b.example/x", 999));
    cr_assert_eq(enc_breaker_counts(breaker).open, 1);
}

Test(breaker, half_open_lets_one_through)
{
    fail("http://a/", 3, 0);
    cr_assert(admits("http://a/", 1000));
    cr_assert_eq(enc_breaker_counts(breaker).half_open, 1);
    cr_assert_not(admits("http://a/", 5000), "one at a time");
    note("http://a/", false, 5000);
    cr_assert_not(admits("http://a/", 5999));
    cr_assert(admits("http://a/", 6000));
    note("http://a/", true, 6000);
    fail("http://a/", 2, 6000);
    cr_assert(admits("http://a/", 6000), "closed, and counted from the beginning");
    cr_assert_eq(enc_breaker_counts(breaker).closed, 1);
}

Test(breaker, late_results_do_not_prolong)
{
    fail("http://a/", 3, 0);
    note("http://a/", false, 900);
    cr_assert(admits("http://a/", 1000));
}

Test(breaker, who_answers_late_is_alive)
{
    fail("http://a/", 3, 0);
    note("http://a/", true, 500);
    cr_assert(admits("http://a/", 500));
    cr_assert_eq(enc_breaker_counts(breaker).open, 0);
}

Test(breaker, is_bounded_and_keeps_those_that_are_open)
{
    char url[64];
    fail("http://a/", 3, 0);
    for (unsigned i = 0; i < 4 * ENC_BREAKER_HOSTS_MAX; i++) {
        snprintf(url, sizeof url, "http://host-%u/", i);
        note(url, false, 0);
    }
    cr_assert_not(admits("http://a/", 500));
    struct enc_breaker_counts counts = enc_breaker_counts(breaker);
    cr_assert_eq(counts.open + counts.closed, ENC_BREAKER_HOSTS_MAX);
}

Test(breaker, can_be_off)
{
    struct enc_breaker *off = enc_breaker_new(0, 1000);
    for (int i = 0; i < 100; i++)
        enc_breaker_note(off, ENC_LIT("http://a/"), false, 0);
    cr_assert(enc_breaker_admits(off, ENC_LIT("http://a/"), 0));
    enc_breaker_free(off);
}
