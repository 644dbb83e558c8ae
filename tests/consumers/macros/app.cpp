// SPDX-License-Identifier: MIT
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <vector>

#include "included_before.hpp"

#define min(a, b) (((a) < (b)) ? (a) : (b))
#define max(a, b) (((a) > (b)) ? (a) : (b))
#define small char
#define near
#define far
#define interface struct
#define IN
#define OUT
#define ERROR 0
#define I (_Complex_I)

#include "../check.hpp"

#if !defined(min) || !defined(max) || !defined(small)
#error "the macros were not there"
#endif

int main() { return check() ? 0 : 1; }
