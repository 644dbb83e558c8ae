// SPDX-License-Identifier: MIT
#include <gibbs/instantiate.hpp>

#include "../check.hpp"

int main() { return check() ? 0 : 1; }
