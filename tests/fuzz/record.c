/* Any bytes as a stored event: what is read is written back to a record that reads the same. */
#include "proto/record.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct enc_arena arena;
    struct enc_arena other;
    struct enc_event event;
    struct enc_event again;
    struct enc_buffer buffer;
    struct enc_bytes record;
    fuzz_arena(&arena, 0);
    fuzz_arena(&other, 1);
    if (enc_record_take(&event, &arena, enc_bytes_of(data, len)) != ENC_ERR_OK)
        return 0;
    enc_buffer_init(&buffer, &other, FUZZ_MEMORY_LEN);
    enc_record_put(&buffer, &event);
    ENC_CHECK(enc_buffer_bytes(&buffer, &record) == ENC_ERR_OK);
    ENC_CHECK(enc_bytes_equal(record, enc_bytes_of(data, len)));
    ENC_CHECK(enc_record_take(&again, &other, record) == ENC_ERR_OK);
    ENC_CHECK(again.seq == event.seq && enc_bytes_equal(again.commit.type, event.commit.type));
    return 0;
}
