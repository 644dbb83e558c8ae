// SPDX-License-Identifier: MIT
// The place of main.cpp under the memory sanitizer, which does not know what libraries that were
// compiled without it write: with that it would take exceptions and printed numbers for
// uninitialised.
#define DOCTEST_CONFIG_IMPLEMENT
#include <cxxabi.h>
#include <doctest/doctest.h>
#include <sanitizer/msan_interface.h>

#include <stdexcept>
#include <typeinfo>

// Linked with --wrap=__cxa_begin_catch, the beginning of every catch.
extern "C" void* __real___cxa_begin_catch(void* thrown) noexcept;
extern "C" void* __wrap___cxa_begin_catch(void* thrown) noexcept;

extern "C" void* __wrap___cxa_begin_catch(void* thrown) noexcept {
  void* const caught = __real___cxa_begin_catch(thrown);
  if (*abi::__cxa_current_exception_type() == typeid(std::invalid_argument)) {
    __msan_unpoison(caught, sizeof(std::invalid_argument));
    __msan_unpoison_string(static_cast<const std::invalid_argument*>(caught)->what());
  }
  return caught;
}

int main(int argc, char** argv) {
  // What libstdc++ hands to functions such as fwrite is not looked at.
  __msan_scoped_disable_interceptor_checks();
  return doctest::Context(argc, argv).run();
}
