// What a program tells of its own memory, and of the files that it reads.
#pragma once
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline int64_t residentBytes(void) {
  long pages = 0, unused;
  FILE* file = fopen("/proc/self/statm", "r");
  if (!file || fscanf(file, "%ld %ld", &unused, &pages) != 2) abort();
  fclose(file);
  return pages * sysconf(_SC_PAGESIZE);
}

static inline int64_t mappingCount(void) {
  int64_t count = 0;
  int letter;
  FILE* file = fopen("/proc/self/maps", "r");
  if (!file) abort();
  while ((letter = fgetc(file)) != EOF) count += letter == '\n';
  fclose(file);
  return count;
}

// The caller frees it.
static inline char* readText(const char* path) {
  FILE* file = fopen(path, "r");
  if (!file) {
    perror(path);
    exit(2);
  }
  fseek(file, 0, SEEK_END);
  const long size = ftell(file);
  rewind(file);
  char* text = (char*)malloc((size_t)size + 1);
  if (!text || fread(text, 1, (size_t)size, file) != (size_t)size) abort();
  text[size] = 0;
  fclose(file);
  return text;
}
