// Result<T>: a value or an Error. The form of every client mistake below the API; guest outcomes and VM bugs
// have other forms (ARCHITECTURE.md, "Errors").
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "vm/support/errors.h"

namespace gaur {

struct Error {
  ErrorId id;
  std::string message;
};

/// An Error whose message is the row's template with {0}, {1}, ... replaced.
Error makeError(ErrorId id, std::initializer_list<std::string_view> arguments = {});

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  explicit operator bool() const { return state_.index() == 0; }
  T& operator*() { return std::get<0>(state_); }
  const T& operator*() const { return std::get<0>(state_); }
  T* operator->() { return &std::get<0>(state_); }
  const Error& error() const { return std::get<1>(state_); }
  Error takeError() && { return std::get<1>(std::move(state_)); }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}

  explicit operator bool() const { return !error_; }
  const Error& error() const { return *error_; }
  Error takeError() && { return std::move(*error_); }

 private:
  std::optional<Error> error_;
};

}  // namespace gaur

#define GAUR_CONCAT_(a, b) a##b
#define GAUR_CONCAT(a, b)  GAUR_CONCAT_(a, b)
/// Returns from the enclosing function with the error of `expression`, if it has one.
#define GAUR_TRY(expression)                                                          \
  do {                                                                                \
    if (auto result_ = (expression); !result_) return std::move(result_).takeError(); \
  } while (0)
/// `GAUR_TRY_ASSIGN(auto x, f())`: declares x with the value, or returns the error.
#define GAUR_TRY_ASSIGN(declaration, expression)                                                     \
  auto GAUR_CONCAT(result_, __LINE__) = (expression);                                                \
  if (!GAUR_CONCAT(result_, __LINE__)) return std::move(GAUR_CONCAT(result_, __LINE__)).takeError(); \
  declaration = std::move(*GAUR_CONCAT(result_, __LINE__))
