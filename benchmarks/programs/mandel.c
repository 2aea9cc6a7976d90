// mandel N: iterations until escape (at most 50, radius 2) summed over an N x N grid of the Mandelbrot set.
#include "checksum.h"

static __attribute__((noinline)) int64_t mandel(int64_t n) {
  int64_t total = 0;
  for (int64_t row = 0; row < n; ++row) {
    double ci = 2.0 * (double)row / (double)n - 1.0;
    for (int64_t column = 0; column < n; ++column) {
      double cr = 2.0 * (double)column / (double)n - 1.5;
      double zr = 0.0, zi = 0.0;
      int64_t k = 0;
      while (k < 50) {
        double zr2 = zr * zr, zi2 = zi * zi;
        if (zr2 + zi2 > 4.0) break;
        zi = 2.0 * zr * zi + ci;
        zr = zr2 - zi2 + cr;
        k = k + 1;
      }
      total = total + k;
    }
  }
  return total;
}

int main(int argc, char** argv) {
  printInteger(mandel(sizeArgument(argc, argv, 1)));
  return 0;
}
