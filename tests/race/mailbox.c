/*
 * The mailbox alone, with the simplest possible owners: who posts into an idle mailbox puts it on a
 * list, a runner takes it from there, empties it and gives it up. Posters against runners.
 */
#include "tests/race/race.h"

#include "actors/mailbox.h"

enum { POSTERS = 3, RUNNERS = 3, BOXES = 4, MAILS = 50000, SMALL_DEPTH = 8 };

struct letter {
    struct enc_mail mail;
    uint32_t poster;
    uint32_t number; /* per poster and box, from 1 */
};

struct box {
    struct enc_mailbox mailbox;
    struct box *next_scheduled;
    _Atomic int inside;
    uint32_t last[POSTERS]; /* plain: two owners at once are a race that TSan sees */
    uint32_t got;
    uint32_t handovers; /* plain: the poster that became the owner sees what the last one left */
};

static struct box boxes[BOXES];
static struct letter *letters[POSTERS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct box *scheduled;
static _Atomic uint32_t total;
static _Atomic uint32_t refusals;
static uint32_t expected;

static void schedule(struct box *box)
{
    pthread_mutex_lock(&lock);
    box->next_scheduled = scheduled;
    scheduled = box;
    pthread_mutex_unlock(&lock);
}

static struct box *next_scheduled(void)
{
    pthread_mutex_lock(&lock);
    struct box *box = scheduled;
    if (box)
        scheduled = box->next_scheduled;
    pthread_mutex_unlock(&lock);
    return box;
}

static void read_letter(struct box *box, const struct letter *letter)
{
    uint32_t before = box->last[letter->poster];
    race_expect(letter->number == before + 1, "a poster's mail arrives once and in order");
    box->last[letter->poster] = letter->number;
    box->got++;
}

static uint32_t read_all(struct box *box)
{
    struct enc_mail *newest = NULL;
    struct enc_mail *mail = enc_mailbox_take(&box->mailbox, &newest);
    uint32_t count = 0;
    for (; mail; mail = mail->next, count++) {
        read_letter(box, (struct letter *)mail);
        race_expect(mail->next || mail == newest, "the newest is the last");
    }
    enc_mailbox_settle(&box->mailbox, count);
    return count;
}

static uint32_t run_box(struct box *box)
{
    uint32_t count = 0;
    race_enter(&box->inside, "a mailbox has one owner");
    for (;;) {
        count += read_all(box);
        race_exit(&box->inside);
        if (enc_mailbox_give_up(&box->mailbox)) {
            race_yield(); /* the next owner shall come before the lock orders us */
            return count;
        }
        race_enter(&box->inside, "a mailbox has one owner");
    }
}

static void *runner(void *arg)
{
    (void)arg;
    /* relaxed both: as in race_enter */
    while (atomic_load_explicit(&total, memory_order_relaxed) < expected) {
        struct box *box = next_scheduled();
        if (box)
            atomic_fetch_add_explicit(&total, run_box(box), memory_order_relaxed);
        else
            race_sleep_us(20);
    }
    return NULL;
}

static void post(struct box *box, struct letter *letter)
{
    enum enc_posted posted;
    while ((posted = enc_mailbox_post(&box->mailbox, &letter->mail)) == ENC_POSTED_FULL) {
        atomic_fetch_add_explicit(&refusals, 1, memory_order_relaxed); /* as in race_enter */
        race_sleep_us(20);
    }
    race_expect(enc_mailbox_depth(&box->mailbox) <= box->mailbox.depth_max, "depth is bounded");
    if (posted == ENC_POSTED_OWNER) {
        box->handovers++;
        schedule(box);
    }
}

static void *poster(void *arg)
{
    uint32_t self = *(const uint32_t *)arg;
    uint32_t sent[BOXES] = {0};
    uint64_t random = self;
    for (uint32_t i = 0; i < MAILS; i++) {
        uint32_t to = (uint32_t)(enc_splitmix(&random) % BOXES);
        struct letter *letter = &letters[self][i];
        *letter = (struct letter){.poster = self, .number = ++sent[to]};
        enc_mail_init(&letter->mail, 0);
        post(&boxes[to], letter);
    }
    return NULL;
}

static void play(const char *name, uint32_t depth_max)
{
    uint32_t selves[POSTERS] = {0, 1, 2};
    pthread_t posters[POSTERS];
    pthread_t runners[RUNNERS];
    uint32_t got = 0;
    memset(boxes, 0, sizeof boxes);
    for (size_t i = 0; i < BOXES; i++)
        enc_mailbox_init(&boxes[i].mailbox, depth_max);
    atomic_store(&total, 0);
    race_start(runners, RUNNERS, runner, NULL, 0);
    race_start(posters, POSTERS, poster, selves, sizeof *selves);
    race_join(posters, POSTERS);
    race_join(runners, RUNNERS);
    for (size_t i = 0; i < BOXES; i++) {
        got += boxes[i].got;
        race_expect(enc_mailbox_depth(&boxes[i].mailbox) == 0, "depth comes back to zero");
    }
    race_check(got == expected && !scheduled, name);
}

int main(void)
{
    race_deadline(30);
    expected = POSTERS * MAILS;
    for (size_t i = 0; i < POSTERS; i++)
        letters[i] = (struct letter *)calloc(MAILS, sizeof(struct letter));
    play("every mail arrives once, in order, at one owner at a time", 1000000);
    race_check(refusals == 0, "nothing is refused below the bound");
    play("the same at a small bound", SMALL_DEPTH);
    race_check(refusals > 0, "the bound was met");
    for (size_t i = 0; i < POSTERS; i++)
        free(letters[i]);
    return race_end();
}
