// SPDX-License-Identifier: MIT
// Runs the corpora of all fuzz targets once, without a fuzzer.
//
// usage: replay FOLDER      with a folder for each primitive of the registry and find_duplicate
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

#include "fuzz_primitive.hpp"
#include "support/registry.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

template <class Run>
void replay(const std::filesystem::path& folder, Run run) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    files.push_back(entry.path());
  }
  if (files.empty()) throw std::runtime_error(folder.string() + " is empty");
  std::sort(files.begin(), files.end());
  for (const auto& file : files) {
    std::fprintf(stderr, "%s\n", file.string().c_str());  // the last one is the one that failed
    std::ifstream in(file, std::ios::binary);
    const std::vector<char> bytes{std::istreambuf_iterator<char>(in), {}};
    if (!in) throw std::runtime_error("cannot read " + file.string());
    run(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  }
  std::printf("%s: %zu inputs\n", folder.filename().string().c_str(), files.size());
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 2) {
    std::fputs("usage: replay FOLDER\n", stderr);
    return 2;
  }
  const std::filesystem::path corpora = argv[1];
  for (const auto& f : gibbs_support::primitives<float>()) {
    replay(corpora / f.name, [&](const std::uint8_t* data, std::size_t size) {
      gibbs_support::fuzz_primitive(f.name, data, size);
    });
  }
  replay(corpora / "find_duplicate", LLVMFuzzerTestOneInput);
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
