// nbody STEPS: five bodies, symplectic integrator, one heap array of doubles for each coordinate.
#include <math.h>

#include "checksum.h"

enum { kBodies = 5 };

static double energy(const double* x, const double* y, const double* z, const double* vx, const double* vy,
                     const double* vz, const double* mass) {
  double total = 0.0;
  for (int64_t i = 0; i < kBodies; ++i) {
    total = total + 0.5 * mass[i] * (vx[i] * vx[i] + vy[i] * vy[i] + vz[i] * vz[i]);
    for (int64_t j = i + 1; j < kBodies; ++j) {
      double dx = x[i] - x[j], dy = y[i] - y[j], dz = z[i] - z[j];
      total = total - mass[i] * mass[j] / sqrt(dx * dx + dy * dy + dz * dz);
    }
  }
  return total;
}

static __attribute__((noinline)) void advance(int64_t steps, double* x, double* y, double* z, double* vx,
                                              double* vy, double* vz, const double* mass) {
  const double dt = 0.01;
  for (int64_t step = 0; step < steps; ++step) {
    for (int64_t i = 0; i < kBodies; ++i) {
      double xi = x[i], yi = y[i], zi = z[i], mi = mass[i];
      double vxi = vx[i], vyi = vy[i], vzi = vz[i];
      for (int64_t j = i + 1; j < kBodies; ++j) {
        double dx = xi - x[j], dy = yi - y[j], dz = zi - z[j];
        double distance2 = dx * dx + dy * dy + dz * dz;
        double magnitude = dt / (distance2 * sqrt(distance2));
        double mj = mass[j] * magnitude, mim = mi * magnitude;
        vxi = vxi - dx * mj;
        vyi = vyi - dy * mj;
        vzi = vzi - dz * mj;
        vx[j] = vx[j] + dx * mim;
        vy[j] = vy[j] + dy * mim;
        vz[j] = vz[j] + dz * mim;
      }
      vx[i] = vxi;
      vy[i] = vyi;
      vz[i] = vzi;
    }
    for (int64_t i = 0; i < kBodies; ++i) {
      x[i] = x[i] + dt * vx[i];
      y[i] = y[i] + dt * vy[i];
      z[i] = z[i] + dt * vz[i];
    }
  }
}

int main(int argc, char** argv) {
  int64_t steps = sizeArgument(argc, argv, 1);
  double* array[7];
  for (int i = 0; i < 7; ++i) array[i] = malloc(kBodies * sizeof(double));
  double *x = array[0], *y = array[1], *z = array[2], *vx = array[3], *vy = array[4], *vz = array[5],
         *mass = array[6];
  // A sun and four planets on circles of different radius, height and speed.
  for (int64_t i = 0; i < kBodies; ++i) {
    double k = (double)i;
    x[i] = k * 5.0;
    y[i] = k * 0.5;
    z[i] = k * 0.25;
    vx[i] = k * 0.1;
    vy[i] = 3.0 - k * 0.5;
    vz[i] = k * 0.05;
    mass[i] = 0.04;
  }
  vy[0] = 0.0;
  mass[0] = 39.0;
  advance(steps, x, y, z, vx, vy, vz, mass);
  printDouble(energy(x, y, z, vx, vy, vz, mass));
  return 0;
}
