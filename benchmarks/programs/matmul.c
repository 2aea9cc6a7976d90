// matmul N: C = A * B for N x N matrices of doubles in row-major heap arrays, loops in the order i, k, j.
#include "checksum.h"

static __attribute__((noinline)) void multiply(int64_t n, const double* a, const double* b, double* c) {
  for (int64_t i = 0; i < n; ++i) {
    const double* aRow = a + i * n;
    double* cRow = c + i * n;
    for (int64_t k = 0; k < n; ++k) {
      double factor = aRow[k];
      const double* bRow = b + k * n;
      for (int64_t j = 0; j < n; ++j) cRow[j] = cRow[j] + factor * bRow[j];
    }
  }
}

int main(int argc, char** argv) {
  int64_t n = sizeArgument(argc, argv, 1);
  int64_t cells = n * n;
  double* a = malloc((size_t)cells * sizeof(double));
  double* b = malloc((size_t)cells * sizeof(double));
  double* c = calloc((size_t)cells, sizeof(double));
  for (int64_t i = 0; i < cells; ++i) {
    a[i] = (double)(i % 11) - 5.0;
    b[i] = (double)(i % 13) - 6.0;
  }
  multiply(n, a, b, c);
  double total = 0.0;
  for (int64_t i = 0; i < cells; ++i) total = total + c[i] * (double)(i & 15);
  printDouble(total);
  return 0;
}
