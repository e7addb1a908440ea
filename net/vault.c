#include "net/vault.h"

#include <sys/mman.h>
#include <unistd.h>

static size_t page_len(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

static uint8_t *mapping_of(const struct enc_vault *vault)
{
    return (uint8_t *)vault->room - page_len();
}

static size_t mapping_len(const struct enc_vault *vault)
{
    return vault->room_len + 2 * page_len();
}

/* Not locked is told, because what a container allows is not in our hands; the others never fail
 * where we run. */
static bool shield(struct enc_vault *vault)
{
    vault->is_locked = mlock(vault->room, vault->room_len) == 0;
    return madvise(vault->room, vault->room_len, MADV_DONTDUMP) == 0 &&
           madvise(vault->room, vault->room_len, MADV_WIPEONFORK) == 0;
}

bool enc_vault_open(struct enc_vault *vault, size_t len)
{
    size_t page = page_len(), room_len = (len + page - 1) / page * page;
    uint8_t *base = mmap(NULL, room_len + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    *vault = (struct enc_vault){.room = NULL};
    if (base == MAP_FAILED)
        return false;
    *vault = (struct enc_vault){.room = base + page, .room_len = room_len};
    if (mprotect(vault->room, room_len, PROT_READ | PROT_WRITE) == 0 && shield(vault))
        return true;
    munmap(base, room_len + 2 * page);
    *vault = (struct enc_vault){.room = NULL};
    return false;
}

void enc_vault_permit(const struct enc_vault *vault, bool is_writable)
{
    int mode = is_writable ? PROT_READ | PROT_WRITE : PROT_READ;
    if (vault->room)
        ENC_CHECK(mprotect(vault->room, vault->room_len, mode) == 0);
}

void enc_vault_close(struct enc_vault *vault)
{
    if (!vault->room)
        return;
    enc_vault_permit(vault, true);
    explicit_bzero(vault->room, vault->room_len);
    munmap(mapping_of(vault), mapping_len(vault));
    *vault = (struct enc_vault){.room = NULL};
}
