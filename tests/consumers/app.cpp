// SPDX-License-Identifier: MIT
#include "check.hpp"

int main() { return check() ? 0 : 1; }
