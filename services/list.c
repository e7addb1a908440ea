#include "services/host.h"

static const struct enc_service *const SERVICES[] = {
#define ENC_SERVICE_ROW(name) &ENC_SERVICE_##name,
#include ENC_SERVICES_DEF
#undef ENC_SERVICE_ROW
};
enum { SERVICE_COUNT = sizeof SERVICES / sizeof SERVICES[0] };
_Static_assert(sizeof SERVICES / sizeof SERVICES[0] <= ENC_SERVICE_MAX, "room for every service");

size_t enc_service_count(void)
{
    return SERVICE_COUNT;
}

const struct enc_service *enc_service_at(size_t index)
{
    ENC_CHECK(index < SERVICE_COUNT);
    return SERVICES[index];
}
