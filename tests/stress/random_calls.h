/* What the programs share that call the client interface at random from several threads:
 *
 *   PROGRAM SECONDS SEED [THREADS [OPTIONS]]
 *
 * Random numbers of each thread, the time, the command line, and the threads. */
#ifndef GAUR_TESTS_RANDOM_CALLS_H
#define GAUR_TESTS_RANDOM_CALLS_H

#include <pthread.h>
#include <stdint.h>
#include <time.h>

#include "../api/client.h"

enum { kMostThreads = 16 };

static double lasts;
static uint64_t firstSeed;
static uintptr_t threadCount;

static _Thread_local uint64_t randomState;

static uint64_t next(void) {
  randomState ^= randomState << 13;
  randomState ^= randomState >> 7;
  randomState ^= randomState << 17;
  return randomState;
}
static unsigned below(unsigned n) { return (unsigned)((next() >> 11) % n); }
static int oneIn(unsigned n) { return below(n) == 0; }
/* Every thread begins with it; `thread`: its number. */
static void seedThread(uintptr_t thread) { randomState = (firstSeed + thread) * 0x9e3779b97f4a7c15u + 1; }

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* Reads the command line and starts the machine; 0 where the line is wrong. A number of threads
 * that is none, or above the most (kMostThreads at most), is the usual one. */
static int startCalls(int argc, char** argv, uintptr_t usualThreads, uintptr_t mostThreads) {
  if (argc < 3) {
    fprintf(stderr, "usage: %s SECONDS SEED [THREADS [OPTIONS]]\n", argv[0]);
    return 0;
  }
  lasts = atof(argv[1]);
  firstSeed = strtoull(argv[2], NULL, 0);
  threadCount = argc > 3 ? strtoull(argv[3], NULL, 0) : usualThreads;
  if (threadCount < 1 || threadCount > mostThreads) threadCount = usualThreads;
  start(argc > 4 ? argv[4] : NULL);
  return 1;
}

/* Calls `run` with its number in each thread, and waits for all. */
static void runThreads(void* (*run)(void*)) {
  pthread_t threads[kMostThreads];
  uintptr_t i;
  for (i = 0; i < threadCount; ++i) CHECK(pthread_create(&threads[i], NULL, run, (void*)i) == 0);
  for (i = 0; i < threadCount; ++i) CHECK(pthread_join(threads[i], NULL) == 0);
}

#endif /* GAUR_TESTS_RANDOM_CALLS_H */
