// SPDX-License-Identifier: MIT
// For loops that compare millions of results: compare first, report only what fails.
#pragma once

#include <doctest/doctest.h>

#include <cstddef>
#include <map>
#include <string>

#include "compare.hpp"

namespace gibbs_support {

// Counts comparisons and failures and prints the first few failures of each kind; a message's first
// word, the primitive, is its kind. The destructor checks that there was none, and that the loop
// was not empty.
class fault_log {
 public:
  fault_log() = default;
  fault_log(const fault_log&) = delete;
  fault_log& operator=(const fault_log&) = delete;

  template <class... Parts>
  void expect(bool good, const Parts&... parts) {
    ++compared_;
    if (good) return;
    if (++failed_ > 100000) return;
    const std::string message = text(parts...);
    if (++of_kind_[message.substr(0, message.find(' '))] <= 4) MESSAGE(message);
  }

  std::size_t failed() const { return failed_; }

  ~fault_log() {
    for (const auto& [kind, count] : of_kind_) MESSAGE(text(kind, ": ", count, " in all"));
    CHECK(failed_ == 0);
    CHECK(compared_ > 0);
  }

 private:
  std::size_t compared_ = 0;
  std::size_t failed_ = 0;
  std::map<std::string, std::size_t> of_kind_;
};

}  // namespace gibbs_support
