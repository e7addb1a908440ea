/* Rows of actors and store: a mailbox, and batches of events in LMDB. */
#include "bench/micro.h"

#include "actors/mailbox.h"
#include "proto/sha256.h"
#include "store/store.h"

#include <stdio.h>

enum { MAILS = 64, EVENTS = 64, MAP_LEN = 1 << 30 };

struct micro_store {
    struct enc_data *data;
    struct enc_store *store;
    uint64_t next_seq;
};

/* MAILS posted, then all taken at once: one operation is one mail. */
void micro_mailbox(struct micro *micro, size_t count)
{
    static struct enc_mailbox mailbox;
    static struct enc_mail mails[MAILS];
    struct enc_mail *newest = NULL;
    enc_mailbox_init(&mailbox, MAILS);
    ENC_CHECK(enc_mailbox_claim(&mailbox));
    for (size_t i = 0; i < count; i++) {
        struct enc_mail *mail = &mails[i % MAILS];
        enc_mail_init(mail, 0);
        ENC_CHECK(enc_mailbox_post(&mailbox, mail) == ENC_POSTED);
        if ((i + 1) % MAILS == 0 || i + 1 == count) {
            micro->sink[0] ^= (uint8_t)(enc_mailbox_take(&mailbox, &newest) == &mails[0]);
            enc_mailbox_settle(&mailbox, (uint32_t)(i % MAILS + 1));
        }
    }
    ENC_CHECK(enc_mailbox_give_up(&mailbox));
}

void micro_store_open(struct micro *micro, size_t sync)
{
    char dir[256];
    struct enc_store_note note;
    uint8_t node_pub32[32] = {1};
    micro_store_close(micro);
    micro->store = (struct micro_store *)calloc(1, sizeof *micro->store);
    ENC_CHECK(micro->store);
    snprintf(dir, sizeof dir, "%s/%s", micro->dir, sync ? "sync" : "memory");
    struct enc_data_config config = {.dir = dir,
                                     .node_pub32 = node_pub32,
                                     .map_len = MAP_LEN,
                                     .shard_count = 1,
                                     .sync = sync != 0};
    if (enc_data_open(&micro->store->data, &note, &config) != ENC_STORE_FAULT_NONE) {
        fprintf(stderr, "%s\n", note.text);
        exit(1);
    }
    micro->store->store = enc_data_shard_at(micro->store->data, 0);
}

void micro_store_close(struct micro *micro)
{
    if (micro->store)
        enc_data_close(micro->store->data);
    free(micro->store);
    micro->store = NULL;
}

/* An event's row with ids of its own, which must live until the apply. */
static void put_event(struct micro *micro, struct enc_writeset *set, uint8_t ids32[2][32])
{
    uint64_t seq = micro->store->next_seq++;
    uint8_t seq8[8];
    enc_be64_put(seq8, seq);
    enc_sha256(ids32[0], enc_bytes_of(seq8, 8));
    enc_sha256(ids32[1], enc_bytes_of(ids32[0], 32));
    const struct enc_event_row row = {.ord = 1,
                                      .seq = seq,
                                      .type_seq = seq + 1,
                                      .id32 = ids32[0],
                                      .hash32 = ids32[1],
                                      .exp_ms = micro->commit.exp_ms + seq / EVENTS,
                                      .type = ENC_LIT("Post"),
                                      .record = micro->record};
    enc_put_event(set, &row);
}

/* One operation is one event of a batch. */
void micro_store_batch(struct micro *micro, size_t count)
{
    uint8_t ids32[EVENTS][2][32];
    for (size_t done = 0; done < count; done += EVENTS) {
        struct enc_arena arena = micro_arena(micro);
        struct enc_writeset set;
        struct enc_apply_facts facts;
        const struct enc_writeset *sets[] = {&set};
        enc_writeset_init(&set, &arena);
        for (size_t i = 0; i < EVENTS; i++)
            put_event(micro, &set, ids32[i]);
        ENC_CHECK(enc_writeset_ok(&set));
        ENC_CHECK(enc_store_apply(micro->store->store, &facts, sets, 1) == ENC_OUTCOME_OK);
    }
}

/* Something to read, when no batch was written before. */
void micro_store_fill(struct micro *micro, size_t unused)
{
    if (micro->store)
        return;
    micro_store_open(micro, unused);
    micro_store_batch(micro, EVENTS);
}

void micro_store_read(struct micro *micro, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct enc_snap *snap = NULL;
        struct enc_bytes record;
        struct enc_event_place place = {1, i * 7919 % micro->store->next_seq};
        ENC_CHECK(enc_snap_open(micro->store->store, &snap) == ENC_ERR_OK);
        ENC_CHECK(enc_snap_event(snap, &record, place) == ENC_ERR_OK);
        micro->sink[0] ^= record.data[0];
        enc_snap_close(snap);
    }
}
