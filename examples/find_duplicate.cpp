// SPDX-License-Identifier: MIT
// Reads n + 1 integers in [1, n] from a file or from standard input, and says which one occurs
// again. The same array is also a function i -> values[i]; the walk from 0 runs into a cycle, and
// enters it at a duplicate.
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <fstream>
#include <gibbs/gibbs.hpp>
#include <iostream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

std::string text_of(const char* path) {
  std::ifstream file;
  if (path != nullptr) file.open(path, std::ios::binary);
  std::istream& in = path != nullptr ? file : std::cin;
  std::string text(std::istreambuf_iterator<char>(in), {});
  if (!in || (path != nullptr && file.peek() != std::ifstream::traits_type::eof())) {
    throw std::runtime_error(std::string("cannot read ") + (path != nullptr ? path : "the input"));
  }
  return text;
}

// Separated by white space or commas.
std::vector<std::int64_t> integers_of(const std::string& text) {
  constexpr const char* separators = " \t\r\n,";
  std::vector<std::int64_t> values;
  std::size_t at = 0;
  while ((at = text.find_first_not_of(separators, at)) != std::string::npos) {
    const std::string word = text.substr(at, text.find_first_of(separators, at) - at);
    const char* const end = word.data() + word.size();
    std::int64_t value = 0;
    const auto [read_to, error] = std::from_chars(word.data(), end, value);
    if (error != std::errc() || read_to != end) {
      throw std::runtime_error("not an integer of 64 bits: " + word.substr(0, 40));
    }
    values.push_back(value);
    at += word.size();
  }
  return values;
}

int main(int argc, char** argv) {
  if (argc > 2) {
    std::fprintf(stderr, "usage: %s [FILE]\n", argv[0]);
    return 2;
  }
  try {
    const auto values = integers_of(text_of(argc == 2 ? argv[1] : nullptr));
    // Checks every value, so that the walk below needs no check.
    const auto found = gibbs::find_duplicate_location(values);
    const auto walk = gibbs::find_cycle(
        std::size_t{0}, [&](std::size_t i) { return static_cast<std::size_t>(values[i]); });
    std::printf("duplicate: %lld, at index %zu and at index %zu\n",
                static_cast<long long>(found.value), found.first, found.second);
    std::printf("cycle: begins at %zu, after %llu steps from 0, and is %llu long\n", walk.entry,
                static_cast<unsigned long long>(walk.tail_length),
                static_cast<unsigned long long>(walk.cycle_length));
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
  }
}
