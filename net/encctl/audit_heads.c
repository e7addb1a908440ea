/* audit: whether all tree heads that were seen are of one log. */
#include "net/encctl/audit.h"

#include "proto/hashes.h"

#include <inttypes.h>
#include <stdlib.h>

enum {
    SLOTS_MAX = 4096,  /* then older ones are thinned out: their neighbours vouch for them */
    JITTER_MS = 10000, /* heads of one node may be signed in another order than they are kept */
};

enum relation {
    RELATION_SAME_LOG,
    RELATION_FORK,
    RELATION_REFUSED,
    RELATION_HIDDEN,
    RELATION_UNKNOWN,
};

/* ---- slots ---- */

static struct enc_audit_head copy_head(const struct enc_audit_head *head)
{
    struct enc_audit_head copy = *head;
    copy.text = enc_audit_keep(enc_bytes_of_text(head->text));
    return copy;
}

static void drop_slot(struct enc_audit_slot *slot)
{
    free(slot->first.text);
    free(slot->last.text);
}

static void thin(struct enc_watch *watch)
{
    size_t kept = 0;
    for (size_t i = 0; i < watch->slot_count; i++) {
        bool stays = i >= watch->slot_count / 2 || i % 2 == 0;
        if (stays)
            watch->slots[kept++] = watch->slots[i];
        else
            drop_slot(&watch->slots[i]);
    }
    watch->slot_count = kept;
}

static void make_room(struct enc_watch *watch)
{
    if (watch->slot_count == SLOTS_MAX)
        thin(watch);
    if (watch->slot_count < watch->slot_room)
        return;
    watch->slot_room = watch->slot_room ? 2 * watch->slot_room : 16;
    watch->slots =
        (struct enc_audit_slot *)realloc(watch->slots, watch->slot_room * sizeof *watch->slots);
    ENC_CHECK(watch->slots != NULL);
}

static struct enc_audit_slot *find_slot(const struct enc_watch *watch,
                                        const struct enc_audit_head *head)
{
    for (size_t i = 0; i < watch->slot_count; i++)
        if (watch->slots[i].first.sth.ts == head->sth.ts &&
            memcmp(watch->slots[i].first.key32, head->key32, 32) == 0)
            return &watch->slots[i];
    return NULL;
}

static void replace(struct enc_audit_head *old, const struct enc_audit_head *head)
{
    free(old->text);
    *old = copy_head(head);
}

void enc_audit_insert(struct enc_watch *watch, const struct enc_audit_head *head)
{
    struct enc_audit_slot *slot = find_slot(watch, head);
    if (slot) {
        if (head->sth.t_ms < slot->first.sth.t_ms)
            replace(&slot->first, head);
        if (head->sth.t_ms >= slot->last.sth.t_ms)
            replace(&slot->last, head);
        return;
    }
    make_room(watch);
    size_t at = watch->slot_count++;
    for (; at > 0 && watch->slots[at - 1].first.sth.ts > head->sth.ts; at--)
        watch->slots[at] = watch->slots[at - 1];
    watch->slots[at] = (struct enc_audit_slot){copy_head(head), copy_head(head)};
}

/* ---- two heads ---- */

static enum enc_reply ask_consistency(struct enc_audit *audit, struct enc_consistency *proof,
                                      const struct enc_target *target, const struct enc_sth *a,
                                      const struct enc_sth *b)
{
    char action[96];
    const struct enc_json *json = NULL;
    snprintf(action, sizeof action, "/consistency?from=%" PRIu64 "&to=%" PRIu64, a->ts, b->ts);
    enum enc_reply reply = enc_audit_get(audit, &json, target, action);
    bool is_proof = reply == ENC_REPLY_GOOD && enc_consistency_take(proof, json) == ENC_ERR_OK &&
                    proof->from == a->ts && proof->to == b->ts;
    return reply == ENC_REPLY_GOOD && !is_proof ? ENC_REPLY_REFUSED : reply;
}

static void put_proof(struct enc_buffer *proof, const struct enc_consistency *consistency,
                      const struct enc_inclusion *inclusion)
{
    enc_json_put_raw(proof, consistency ? "\"consistency\":{" : "\"inclusion\":{");
    if (consistency)
        enc_consistency_put(proof, consistency);
    else
        enc_inclusion_put(proof, inclusion);
    enc_json_put_raw(proof, "}");
}

static enum relation by_consistency(struct enc_audit *audit, struct enc_buffer *proof,
                                    const struct enc_target *target, const struct enc_sth *a,
                                    const struct enc_sth *b)
{
    uint8_t prefix32[32];
    struct enc_consistency path;
    enum enc_reply reply = ask_consistency(audit, &path, target, a, b);
    if (reply == ENC_REPLY_NONE)
        return RELATION_UNKNOWN;
    if (reply == ENC_REPLY_GOOD && enc_consistency_verify(&path, a->r32, b->r32))
        return RELATION_SAME_LOG;
    if (reply != ENC_REPLY_GOOD || !enc_consistency_prefix(prefix32, &path, b->r32))
        return RELATION_REFUSED;
    put_proof(proof, &path, NULL);
    return RELATION_FORK;
}

/* What is on the left of a's last leaf in b's log is all of a's log. */
static enum relation by_inclusion(struct enc_audit *audit, struct enc_buffer *proof,
                                  const struct enc_target *target, const struct enc_sth *a,
                                  const struct enc_sth *b)
{
    uint8_t prefix32[32];
    struct enc_inclusion path;
    enum enc_reply reply = enc_audit_leaf(audit, &path, target, a->ts - 1, b->ts);
    if (reply == ENC_REPLY_NONE)
        return RELATION_UNKNOWN;
    if (reply == ENC_REPLY_HIDDEN)
        return RELATION_HIDDEN;
    if (reply == ENC_REPLY_REFUSED || !enc_inclusion_prefix(prefix32, &path, b->r32))
        return RELATION_REFUSED;
    if (memcmp(prefix32, a->r32, 32) == 0)
        return RELATION_SAME_LOG;
    put_proof(proof, NULL, &path);
    return RELATION_FORK;
}

static enum relation ask_both(struct enc_audit *audit, struct enc_buffer *proof,
                              const struct enc_target *target, const struct enc_sth *a,
                              const struct enc_sth *b)
{
    enum relation first = by_consistency(audit, proof, target, a, b);
    if (first == RELATION_SAME_LOG || first == RELATION_FORK)
        return first;
    enum relation second = by_inclusion(audit, proof, target, a, b);
    if (second == RELATION_SAME_LOG || second == RELATION_FORK)
        return second;
    if (first == RELATION_UNKNOWN || second == RELATION_UNKNOWN)
        return RELATION_UNKNOWN;
    return second == RELATION_HIDDEN && !target->has_all_proofs ? RELATION_HIDDEN
                                                                : RELATION_REFUSED;
}

/* Who served the later head must be able to show that it follows; the others may. */
static enum relation relate(struct enc_audit *audit, struct enc_buffer *proof,
                            const struct enc_watch *watch, const struct enc_audit_head *a,
                            const struct enc_audit_head *b)
{
    enum relation worst = RELATION_UNKNOWN;
    if (a->sth.ts == 0)
        return RELATION_SAME_LOG;
    for (size_t i = 0; i <= audit->target_count; i++) {
        size_t at = i == 0 ? b->target : i - 1;
        if (at >= audit->target_count || audit->targets[at].watch != watch ||
            (i > 0 && at == b->target))
            continue;
        enum relation found = ask_both(audit, proof, &audit->targets[at], &a->sth, &b->sth);
        if (found == RELATION_SAME_LOG || found == RELATION_FORK)
            return found;
        if (at == b->target)
            worst = found;
    }
    return worst;
}

/* ---- one head against all ---- */

/* The neighbours of a head among the slots of one log. */
struct place {
    const struct enc_audit_head *same;
    const struct enc_audit_head *before;
    const struct enc_audit_head *behind;
};

static struct place place_of(const struct enc_watch *watch, const struct enc_audit_head *head)
{
    struct place place = {NULL, NULL, NULL};
    for (size_t i = 0; i < watch->slot_count; i++) {
        const struct enc_audit_head *at = &watch->slots[i].first;
        if (at->sth.ts < head->sth.ts)
            place.before = at;
        else if (at->sth.ts == head->sth.ts)
            place.same = at;
        else if (!place.behind)
            place.behind = at;
    }
    return place;
}

/* The pair of heads that contradict each other by their times the most; NULL: none does. */
static bool find_rewind(const struct enc_watch *watch, const struct enc_audit_head *head,
                        const struct enc_audit_head *pair[2])
{
    uint64_t most_ms = JITTER_MS;
    for (size_t i = 0; i < watch->slot_count; i++) {
        const struct enc_audit_slot *slot = &watch->slots[i];
        bool is_larger = slot->first.sth.ts > head->sth.ts;
        const struct enc_audit_head *large = is_larger ? &slot->first : head;
        const struct enc_audit_head *small = is_larger ? head : &slot->last;
        if (slot->first.sth.ts == head->sth.ts || memcmp(large->key32, small->key32, 32) != 0 ||
            small->sth.t_ms <= large->sth.t_ms + most_ms)
            continue;
        most_ms = small->sth.t_ms - large->sth.t_ms;
        pair[0] = large;
        pair[1] = small;
    }
    return most_ms > JITTER_MS;
}

static struct enc_finding finding_of(const char *kind, const struct enc_audit_head *a,
                                     const struct enc_audit_head *b,
                                     const struct enc_buffer *members)
{
    struct enc_finding finding = {.kind = kind, .heads = {a, b}, .text = ""};
    if (members && enc_buffer_bytes(members, &finding.members) != ENC_ERR_OK)
        finding.members = (struct enc_bytes){NULL, 0};
    return finding;
}

/* Whether a head follows from, or leads to, another; all that is wrong is told. */
static enum relation compare(struct enc_audit *audit, struct enc_target *target,
                             const struct enc_audit_head *a, const struct enc_audit_head *b)
{
    struct enc_buffer proof;
    if (!a || !b)
        return RELATION_SAME_LOG;
    enc_buffer_init(&proof, &audit->ctl->arena, 1 << 16);
    enum relation found = relate(audit, &proof, target->watch, a, b);
    if (found != RELATION_FORK)
        return found;
    struct enc_finding fork = finding_of("fork", a, b, &proof);
    enc_audit_tell(audit, target, &fork);
    return found;
}

static bool tell_rewind(struct enc_audit *audit, struct enc_target *target,
                        const struct enc_audit_head *head)
{
    const struct enc_audit_head *pair[2] = {NULL, NULL};
    if (!find_rewind(target->watch, head, pair))
        return false;
    struct enc_finding rewind = finding_of("rewind", pair[0], pair[1], NULL);
    enc_audit_tell(audit, target, &rewind);
    return true;
}

static void tell_rest(struct enc_audit *audit, struct enc_target *target, enum relation found,
                      const struct enc_audit_head *before, const struct enc_audit_head *head)
{
    struct enc_finding refused = finding_of("refused", before, head, NULL);
    if (found == RELATION_REFUSED)
        enc_audit_tell(audit, target, &refused);
    else if (found == RELATION_HIDDEN)
        enc_audit_unreached(audit, target, "proofs are hidden from this reader; --key helps");
    else
        enc_audit_unreached(audit, target,
                            "nobody shows how this tree head and those seen before "
                            "belong together");
}

/* is_new: what cannot be shown is told, too. */
static enum enc_standing place_head(struct enc_audit *audit, struct enc_target *target,
                                    const struct enc_audit_head *head, bool is_new)
{
    struct place place = place_of(target->watch, head);
    enum relation before = RELATION_SAME_LOG, behind = RELATION_SAME_LOG;
    if (place.same && memcmp(place.same->sth.r32, head->sth.r32, 32) != 0) {
        struct enc_finding fork = finding_of("fork", place.same, head, NULL);
        enc_audit_tell(audit, target, &fork);
        return ENC_STANDING_ODD;
    }
    if (!place.same)
        before = compare(audit, target, place.before, head);
    if (!place.same && before != RELATION_FORK)
        behind = compare(audit, target, head, place.behind);
    if (before == RELATION_FORK || behind == RELATION_FORK || tell_rewind(audit, target, head))
        return ENC_STANDING_ODD;
    if (before == RELATION_SAME_LOG && behind == RELATION_SAME_LOG)
        return ENC_STANDING_IN;
    if (is_new && before != RELATION_SAME_LOG)
        tell_rest(audit, target, before, place.before, head);
    else if (is_new)
        tell_rest(audit, target, behind, head, place.behind);
    return ENC_STANDING_OPEN;
}

/* ---- heads that nobody has placed ---- */

static void forget_open(struct enc_watch *watch, size_t at)
{
    free(watch->open[at].text);
    watch->open_count--;
    for (; at < watch->open_count; at++)
        watch->open[at] = watch->open[at + 1];
}

static bool is_open(const struct enc_watch *watch, const struct enc_audit_head *head)
{
    for (size_t i = 0; i < watch->open_count; i++)
        if (watch->open[i].sth.ts == head->sth.ts &&
            memcmp(watch->open[i].sth.r32, head->sth.r32, 32) == 0 &&
            memcmp(watch->open[i].key32, head->key32, 32) == 0)
            return true;
    return false;
}

void enc_audit_keep_open(struct enc_watch *watch, const struct enc_audit_head *head)
{
    if (is_open(watch, head))
        return;
    if (watch->open_count == ENC_AUDIT_OPEN_MAX)
        forget_open(watch, 0);
    watch->open[watch->open_count++] = copy_head(head);
}

void enc_audit_reconsider(struct enc_audit *audit, struct enc_target *target)
{
    struct enc_watch *watch = target->watch;
    for (size_t i = watch->open_count; i-- > 0;) {
        enum enc_standing standing = place_head(audit, target, &watch->open[i], false);
        if (standing == ENC_STANDING_OPEN)
            continue;
        enc_audit_record_head(audit, target, &watch->open[i], standing);
        if (standing == ENC_STANDING_IN)
            enc_audit_insert(watch, &watch->open[i]);
        forget_open(watch, i);
    }
}

static bool is_known(const struct enc_watch *watch, const struct enc_audit_head *head)
{
    const struct enc_audit_slot *slot = find_slot(watch, head);
    return slot && slot->first.sth.t_ms <= head->sth.t_ms &&
           slot->last.sth.t_ms >= head->sth.t_ms &&
           memcmp(slot->first.sth.r32, head->sth.r32, 32) == 0 &&
           (memcmp(slot->first.sth.sig64, head->sth.sig64, 64) == 0 ||
            memcmp(slot->last.sth.sig64, head->sth.sig64, 64) == 0);
}

void enc_audit_consider(struct enc_audit *audit, struct enc_target *target,
                        struct enc_audit_head *head)
{
    if (is_known(target->watch, head))
        return;
    enc_audit_bind(audit, head, target);
    enum enc_standing standing = place_head(audit, target, head, true);
    enc_audit_record_head(audit, target, head, standing);
    if (standing == ENC_STANDING_IN)
        enc_audit_insert(target->watch, head);
    if (standing == ENC_STANDING_OPEN)
        enc_audit_keep_open(target->watch, head);
}
