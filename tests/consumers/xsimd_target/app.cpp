// SPDX-License-Identifier: MIT
#include "../check.hpp"

#ifndef FROM_THE_PROJECT
#error "another xsimd was taken"
#endif

int main() { return check() ? 0 : 1; }
