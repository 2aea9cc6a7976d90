// spectral N: ten rounds of the power method on the matrix A(i,j) = 1 / ((i+j)(i+j+1)/2 + i + 1).
#include <math.h>

#include "checksum.h"

static double element(int64_t i, int64_t j) {
  int64_t sum = i + j;
  return 1.0 / (double)(sum * (sum + 1) / 2 + i + 1);
}

static void timesA(int64_t n, const double* in, double* out) {
  for (int64_t i = 0; i < n; ++i) {
    double sum = 0.0;
    for (int64_t j = 0; j < n; ++j) sum = sum + element(i, j) * in[j];
    out[i] = sum;
  }
}

static void timesTransposedA(int64_t n, const double* in, double* out) {
  for (int64_t i = 0; i < n; ++i) {
    double sum = 0.0;
    for (int64_t j = 0; j < n; ++j) sum = sum + element(j, i) * in[j];
    out[i] = sum;
  }
}

int main(int argc, char** argv) {
  int64_t n = sizeArgument(argc, argv, 1);
  double* u = malloc((size_t)n * sizeof(double));
  double* v = malloc((size_t)n * sizeof(double));
  double* t = malloc((size_t)n * sizeof(double));
  for (int64_t i = 0; i < n; ++i) u[i] = 1.0;
  for (int64_t round = 0; round < 10; ++round) {
    timesA(n, u, t);
    timesTransposedA(n, t, v);
    timesA(n, v, t);
    timesTransposedA(n, t, u);
  }
  double uv = 0.0, vv = 0.0;
  for (int64_t i = 0; i < n; ++i) {
    uv = uv + u[i] * v[i];
    vv = vv + v[i] * v[i];
  }
  printDouble(sqrt(uv / vv));
  return 0;
}
