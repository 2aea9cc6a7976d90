// sha MIB: the SHA-256 compression function over MIB mebibytes (one buffer of pseudo-random bytes, again and
// again).
#include "checksum.h"

enum { kBufferBytes = 1024 * 1024 };

static const uint32_t kRound[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static uint32_t rotateRight(uint32_t x, unsigned by) { return (x >> by) | (x << (32 - by)); }

static __attribute__((noinline)) void compress(uint32_t* state, const uint8_t* data, int64_t blocks) {
  uint32_t w[64];
  for (int64_t block = 0; block < blocks; ++block) {
    const uint8_t* p = data + block * 64;
    for (int64_t t = 0; t < 16; ++t) {
      const uint8_t* q = p + t * 4;
      w[t] = ((uint32_t)q[0] << 24) | ((uint32_t)q[1] << 16) | ((uint32_t)q[2] << 8) | (uint32_t)q[3];
    }
    for (int64_t t = 16; t < 64; ++t) {
      uint32_t x = w[t - 15], y = w[t - 2];
      uint32_t s0 = rotateRight(x, 7) ^ rotateRight(x, 18) ^ (x >> 3);
      uint32_t s1 = rotateRight(y, 17) ^ rotateRight(y, 19) ^ (y >> 10);
      w[t] = w[t - 16] + s0 + w[t - 7] + s1;
    }
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
    uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
    for (int64_t t = 0; t < 64; ++t) {
      uint32_t s1 = rotateRight(e, 6) ^ rotateRight(e, 11) ^ rotateRight(e, 25);
      uint32_t choose = (e & f) ^ (~e & g);
      uint32_t t1 = h + s1 + choose + kRound[t] + w[t];
      uint32_t s0 = rotateRight(a, 2) ^ rotateRight(a, 13) ^ rotateRight(a, 22);
      uint32_t majority = (a & b) ^ (a & c) ^ (b & c);
      uint32_t t2 = s0 + majority;
      h = g;
      g = f;
      f = e;
      e = d + t1;
      d = c;
      c = b;
      b = a;
      a = t1 + t2;
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
    state[4] += e;
    state[5] += f;
    state[6] += g;
    state[7] += h;
  }
}

int main(int argc, char** argv) {
  int64_t mebibytes = sizeArgument(argc, argv, 1);
  uint8_t* data = malloc(kBufferBytes);
  uint64_t random = 42;
  for (int64_t i = 0; i < kBufferBytes; ++i) {
    random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    data[i] = (uint8_t)(random >> 56);
  }
  uint32_t* state = malloc(8 * sizeof(uint32_t));
  state[0] = 0x6a09e667;
  state[1] = 0xbb67ae85;
  state[2] = 0x3c6ef372;
  state[3] = 0xa54ff53a;
  state[4] = 0x510e527f;
  state[5] = 0x9b05688c;
  state[6] = 0x1f83d9ab;
  state[7] = 0x5be0cd19;
  for (int64_t i = 0; i < mebibytes; ++i) compress(state, data, kBufferBytes / 64);
  printInteger((int64_t)(((uint64_t)state[0] << 32) | state[7]));
  return 0;
}
