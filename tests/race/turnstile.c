/* A turnstile under threads: one at a time per key, nobody is lost, all come through in the end. */
#include "race.h"

#include "actors/turnstile.h"

enum { THREADS = 4, ROUNDS = 20000, KEYS = 3, WAITING_MAX = 2 };

struct guest {
    struct enc_pass pass; /* first */
    _Atomic bool is_back;
};

static struct enc_turnstile *turnstile;
static _Atomic int inside[KEYS];
static uint32_t written[KEYS]; /* plain: the turnstile is what orders the writers of a key */
static _Atomic uint32_t waited;

static void hand_back(struct enc_link *list)
{
    while (list) {
        struct guest *guest = (struct guest *)list;
        list = list->next;
        atomic_store(&guest->is_back, true); /* from here on its thread may come again */
    }
}

static void pass_through(struct guest *guest, uint32_t key)
{
    race_enter(&inside[key], "one at a time");
    written[key]++;
    race_yield(); /* others come meanwhile */
    race_exit(&inside[key]);
    hand_back(enc_turnstile_leave(turnstile, &guest->pass));
}

static bool come(struct guest *guest, uint32_t key)
{
    bool is_first = false;
    atomic_store(&guest->is_back, false);
    if (enc_turnstile_enter(turnstile, &is_first, &guest->pass) != ENC_ERR_OK) {
        race_sleep_us(20);
        return false;
    }
    if (is_first) {
        pass_through(guest, key);
        return true;
    }
    atomic_fetch_add(&waited, 1);
    while (!atomic_load(&guest->is_back))
        race_sleep_us(20);
    return false;
}

static void *visitor(void *arg)
{
    uint64_t random = *(const uint32_t *)arg;
    struct guest guest;
    for (uint32_t i = 0; i < ROUNDS; i++) {
        uint32_t key = (uint32_t)(enc_splitmix(&random) % KEYS);
        race_key(guest.pass.key32, key);
        while (!come(&guest, key)) {
        }
    }
    return NULL;
}

int main(void)
{
    uint32_t selves[THREADS] = {1, 2, 3, 4};
    pthread_t threads[THREADS];
    uint32_t sum = 0;
    const struct enc_turnstile_config config = {.waiting_max = WAITING_MAX, .hash_seed = 9};
    race_deadline(60);
    if (enc_turnstile_open(&turnstile, &config) != ENC_ERR_OK)
        abort();
    race_start(threads, THREADS, visitor, selves, sizeof *selves);
    race_join(threads, THREADS);
    for (int i = 0; i < KEYS; i++)
        sum += written[i];
    race_check(sum == THREADS * ROUNDS, "everybody came through, each time once");
    race_check(waited > 0, "some had to wait");
    enc_turnstile_close(turnstile);
    return race_end();
}
