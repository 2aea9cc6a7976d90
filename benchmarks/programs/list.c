// list ROUNDS: builds, sums and frees a list of 1,000 nodes of 16 bytes, ROUNDS times.
#include "checksum.h"

typedef struct Node {
  int64_t value;
  struct Node* next;
} Node;

static __attribute__((noinline)) Node* build(int64_t first) {
  Node* head = NULL;
  for (int64_t i = 0; i < 1000; ++i) {
    Node* node = malloc(sizeof(Node));
    node->value = first + i;
    node->next = head;
    head = node;
  }
  return head;
}

static __attribute__((noinline)) int64_t sum(const Node* node) {
  int64_t total = 0;
  while (node != NULL) {
    total = total + node->value;
    node = node->next;
  }
  return total;
}

static __attribute__((noinline)) void release(Node* node) {
  while (node != NULL) {
    Node* next = node->next;
    free(node);
    node = next;
  }
}

int main(int argc, char** argv) {
  int64_t rounds = sizeArgument(argc, argv, 1);
  int64_t total = 0;
  for (int64_t round = 0; round < rounds; ++round) {
    Node* head = build(round);
    total = total + sum(head);
    release(head);
  }
  printInteger(total);
  return 0;
}
