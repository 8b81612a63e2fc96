#include "CPlatform.h"

#include <pthread.h>
#include <string.h>

// Slicing by eight (Kounavis and Berry, 2005): eight tables, made once.
static uint32_t table[8][256];
static pthread_once_t table_once = PTHREAD_ONCE_INIT;

static void make_table(void) {
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i;
        for (int bit = 0; bit < 8; bit++) c = (c >> 1) ^ (0x82f63b78u & (0u - (c & 1)));
        table[0][i] = c;
    }
    for (uint32_t i = 0; i < 256; i++)
        for (int slice = 1; slice < 8; slice++)
            table[slice][i] = (table[slice - 1][i] >> 8) ^ table[0][table[slice - 1][i] & 0xff];
}

uint32_t posto_crc32c_portable(uint32_t seed, const void *bytes, size_t length) {
    pthread_once(&table_once, make_table);
    const uint8_t *p = bytes;
    uint32_t c = ~seed;
    while (length >= 8) {
        uint32_t low, high;
        memcpy(&low, p, 4);
        memcpy(&high, p + 4, 4);
        low ^= c;
        c = table[7][low & 0xff] ^ table[6][(low >> 8) & 0xff] ^ table[5][(low >> 16) & 0xff] ^ table[4][low >> 24] ^
            table[3][high & 0xff] ^ table[2][(high >> 8) & 0xff] ^ table[1][(high >> 16) & 0xff] ^ table[0][high >> 24];
        p += 8;
        length -= 8;
    }
    while (length--) c = (c >> 8) ^ table[0][(c ^ *p++) & 0xff];
    return ~c;
}

#if defined(__x86_64__)
#include <nmmintrin.h>
__attribute__((target("sse4.2"))) static uint32_t crc32c_hardware(uint32_t seed, const void *bytes, size_t length) {
    const uint8_t *p = bytes;
    uint64_t c = ~seed;
    for (; length >= 8; p += 8, length -= 8) {
        uint64_t word;
        memcpy(&word, p, 8);
        c = _mm_crc32_u64(c, word);
    }
    uint32_t d = (uint32_t)c;
    while (length--) d = _mm_crc32_u8(d, *p++);
    return ~d;
}
static int has_hardware(void) { return __builtin_cpu_supports("sse4.2"); }
#elif defined(__aarch64__)
#include <arm_acle.h>
#include <sys/auxv.h>
__attribute__((target("+crc"))) static uint32_t crc32c_hardware(uint32_t seed, const void *bytes, size_t length) {
    const uint8_t *p = bytes;
    uint32_t c = ~seed;
    for (; length >= 8; p += 8, length -= 8) {
        uint64_t word;
        memcpy(&word, p, 8);
        c = __crc32cd(c, word);
    }
    while (length--) c = __crc32cb(c, *p++);
    return ~c;
}
static int has_hardware(void) { return (getauxval(AT_HWCAP) & (1 << 7)) != 0; }  // HWCAP_CRC32
#else
static uint32_t crc32c_hardware(uint32_t seed, const void *bytes, size_t length) { return posto_crc32c_portable(seed, bytes, length); }
static int has_hardware(void) { return 1; }
#endif

uint32_t posto_crc32c(uint32_t seed, const void *bytes, size_t length) {
    static int hardware = -1;  // the same answer on every thread, so a race writes the same value
    int known = __atomic_load_n(&hardware, __ATOMIC_RELAXED);
    if (known < 0) {
        known = has_hardware() ? 1 : 0;
        __atomic_store_n(&hardware, known, __ATOMIC_RELAXED);
    }
    return known ? crc32c_hardware(seed, bytes, length) : posto_crc32c_portable(seed, bytes, length);
}
