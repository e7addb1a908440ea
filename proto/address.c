#include "proto/endpoint.h"

#include "proto/base/check.h"

struct net {
    uint8_t prefix[4];
    uint8_t bits;
};

/* Everything of IPv4 that is not public unicast (RFC 6890 and its registry). */
static const struct net NETS_4[] = {
    {{0, 0, 0, 0}, 8},      {{10, 0, 0, 0}, 8},     {{100, 64, 0, 0}, 10}, {{127, 0, 0, 0}, 8},
    {{169, 254, 0, 0}, 16}, {{172, 16, 0, 0}, 12},  {{192, 0, 0, 0}, 24},  {{192, 0, 2, 0}, 24},
    {{192, 88, 99, 0}, 24}, {{192, 168, 0, 0}, 16}, {{198, 18, 0, 0}, 15}, {{198, 51, 100, 0}, 24},
    {{203, 0, 113, 0}, 24}, {{224, 0, 0, 0}, 4},    {{240, 0, 0, 0}, 4},
};

/* What is not public inside 2000::/3: Teredo, ORCHID, documentation. */
static const struct net NETS_6[] = {
    {{0x20, 0x01, 0x00, 0x00}, 23},
    {{0x20, 0x01, 0x0d, 0xb8}, 32},
    {{0x3f, 0xff, 0x00, 0x00}, 20},
};

static bool is_in(const uint8_t *address, const struct net *nets, size_t count)
{
    uint32_t value = enc_be32_get(address);
    for (size_t i = 0; i < count; i++)
        if ((value ^ enc_be32_get(nets[i].prefix)) >> (32 - nets[i].bits) == 0)
            return true;
    return false;
}

static bool is_private_4(const uint8_t address4[4])
{
    return is_in(address4, NETS_4, sizeof NETS_4 / sizeof *NETS_4);
}

/** Mapped, translated and tunnelled addresses reach whatever IPv4 address they carry. */
static const uint8_t *carried_4(const uint8_t address16[16])
{
    static const uint8_t MAPPED12[12] = {[10] = 0xff, [11] = 0xff};
    static const uint8_t TRANSLATED12[12] = {0x00, 0x64, 0xff, 0x9b};
    if (memcmp(address16, MAPPED12, 12) == 0 || memcmp(address16, TRANSLATED12, 12) == 0)
        return address16 + 12;
    return address16[0] == 0x20 && address16[1] == 0x02 ? address16 + 2 : NULL;
}

static bool is_private_6(const uint8_t address16[16])
{
    const uint8_t *address4 = carried_4(address16);
    if (address4)
        return is_private_4(address4);
    return address16[0] >> 5 != 1 || is_in(address16, NETS_6, sizeof NETS_6 / sizeof *NETS_6);
}

bool enc_address_is_private(const uint8_t *address, size_t len)
{
    ENC_CHECK(len == 4 || len == 16);
    return len == 4 ? is_private_4(address) : is_private_6(address);
}
