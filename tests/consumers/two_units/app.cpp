// SPDX-License-Identifier: MIT
bool FIRST();
bool SECOND();

int main() { return FIRST() && SECOND() ? 0 : 1; }
