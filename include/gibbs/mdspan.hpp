// SPDX-License-Identifier: MIT
//
// std::mdspan of two dimensions in the place of a matrix_view, on its own or beside one, for all
// functions but those with an execution policy and the states. Any class with its interface will
// do, such as that of its reference implementation; <mdspan> itself is not needed. dispatch.hpp has
// the same without this header.
#ifndef GIBBS_MDSPAN_HPP
#define GIBBS_MDSPAN_HPP

#include "cross_entropy.hpp"
#include "entropy.hpp"
#include "kl_divergence.hpp"
#include "log_sum_exp.hpp"
#include "softmax.hpp"

#define GIBBS_MDSPAN_NAMESPACE gibbs
#include "detail/mdspan_functions.hpp"

#endif  // GIBBS_MDSPAN_HPP
