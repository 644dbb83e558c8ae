// SPDX-License-Identifier: MIT
// What the programs that learn which letter follows which have in common: reading a text as
// letters, counting its pairs, writing a line; random numbers that are the same on every machine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <fstream>
#include <gibbs/matrix_view.hpp>
#include <iterator>
#include <span>
#include <string>
#include <vector>

constexpr std::size_t between = 27;  // words: anything that is no letter
constexpr std::size_t letters = 28;  // a to z are 0 to 25, any accented letter is 26
using table = std::vector<double>;   // row: the letter before, column: the next one, a place each

inline gibbs::matrix_view<double> square(table& t) { return {t.data(), letters, letters}; }
inline gibbs::matrix_view<const double> square(const table& t) {
  return {t.data(), letters, letters};
}

// Empty but for the first `between` if there is no such file.
inline std::vector<std::size_t> read_letters(const char* path) {
  std::ifstream in(path, std::ios::binary);
  std::vector<std::size_t> text{between};
  for (std::istreambuf_iterator<char> c(in), end; c != end; ++c) {
    const auto byte = static_cast<unsigned char>(*c);
    const bool letter = (byte | 32) >= 'a' && (byte | 32) <= 'z';
    const bool accented = byte == 0xC3 || byte == 0xC5;  // its first byte in UTF-8
    const std::size_t next = letter ? (byte | 32u) - 'a' : accented ? 26 : between;
    if (byte >= 0x80 && !accented) continue;
    if (next != between || text.back() != between) text.push_back(next);
  }
  return text;
}

// How often each pair occurs, and `add` more.
inline table count_pairs(std::span<const std::size_t> text, double add) {
  table counts(letters * letters, add);
  for (std::size_t i = 1; i < text.size(); ++i) ++counts[text[i - 1] * letters + text[i]];
  return counts;
}

inline double uniform() {  // in (0, 1)
  static std::uint64_t state = 1;
  state = state * 6364136223846793005u + 1442695040888963407u;
  return (static_cast<double>(state >> 11) + 0.5) / 9007199254740992.0;
}

// A line of random letters with the probabilities of the policy's rows: the places of its letters.
inline std::vector<std::size_t> write_line(const table& policy, std::size_t size) {
  std::vector<std::size_t> line(size);
  std::size_t letter = between;
  for (std::size_t& place : line) {
    place = letter * letters;
    double u = uniform();
    for (letter = 0; letter + 1 < letters && u >= policy[place]; ++letter) u -= policy[place++];
  }
  return line;
}

inline std::string shown(const std::vector<std::size_t>& line) {
  std::string text;
  for (const std::size_t place : line) text += "abcdefghijklmnopqrstuvwxyz? "[place % letters];
  return text;
}
