// bintree N: complete binary trees of depths 4, 8, 12 ... N, made by malloc, walked and freed.
#include "checksum.h"

typedef struct Node {
  struct Node *left, *right;
} Node;

static Node* make(int64_t depth) {
  Node* node = malloc(sizeof(Node));
  if (depth > 0) {
    node->left = make(depth - 1);
    node->right = make(depth - 1);
  } else {
    node->left = NULL;
    node->right = NULL;
  }
  return node;
}

static int64_t count(const Node* node) {
  if (node->left == NULL) return 1;
  return 1 + count(node->left) + count(node->right);
}

static void release(Node* node) {
  if (node->left != NULL) {
    release(node->left);
    release(node->right);
  }
  free(node);
}

static int64_t makeAndCount(int64_t depth) {
  Node* tree = make(depth);
  int64_t nodes = count(tree);
  release(tree);
  return nodes;
}

int main(int argc, char** argv) {
  int64_t n = sizeArgument(argc, argv, 1);
  int64_t total = makeAndCount(n + 1);
  Node* longLived = make(n);
  for (int64_t depth = 4; depth <= n; depth += 4) {
    int64_t trees = (int64_t)1 << (n - depth + 4);
    for (int64_t i = 0; i < trees; ++i) total = total + makeAndCount(depth);
  }
  total = total + count(longLived);
  release(longLived);
  printInteger(total);
  return 0;
}
