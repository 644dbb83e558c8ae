// SPDX-License-Identifier: MIT
// PyTorch: its C++ interface, one call a primitive where there is one, composed calls elsewhere; on
// one thread, without gradients, and with outputs allocated once where its functions take them.
// clang-format off: with clang as C++20 the others do not compile without the first
#include <ATen/core/ivalue.h>
// clang-format on
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>

#include "peer.hpp"

namespace bench {
namespace {

template <class T>
job prepare(const problem<T>& p) {
  at::set_num_threads(1);
  const auto options = at::TensorOptions().dtype(c10::CppTypeToScalarType<T>::value);
  const auto rows = static_cast<std::int64_t>(p.rows);
  const auto columns = static_cast<std::int64_t>(p.columns);
  const auto matrix = [&](const T* data) {
    return at::from_blob(const_cast<T*>(data), {rows, columns}, options);
  };
  const at::Tensor x = matrix(p.a);
  const at::Tensor y = p.b ? matrix(p.b) : at::Tensor();
  at::Tensor out = matrix(p.out);
  at::Tensor results = at::from_blob(p.out, {rows}, options);
  at::Tensor labels;
  if (p.labels) {
    labels = at::from_blob(const_cast<std::int32_t*>(p.labels), {rows}, at::dtype(at::kInt))
                 .to(at::kLong);
  }
  const auto inference = [](auto body) -> job {
    return [body]() mutable {
      const c10::InferenceMode guard;
      body();
    };
  };

  if (p.primitive == "softmax")
    return inference([=]() mutable { at::_softmax_out(out, x, 1, false); });
  if (p.primitive == "log_softmax")
    return inference([=]() mutable { at::_log_softmax_out(out, x, 1, false); });
  if (p.primitive == "log_sum_exp")
    return inference([=]() mutable { at::logsumexp_out(results, x, {1}); });
  if (p.primitive == "entropy")
    return inference([=, e = at::empty_like(x)]() mutable {
      at::special_entr_out(e, x);
      at::sum_out(results, e, {1});
    });
  if (p.primitive == "cross_entropy")
    return inference([=, e = at::empty_like(x)]() mutable {
      at::xlogy_out(e, x, y);
      at::sum_out(results, e, {1});
      results.neg_();
    });
  if (p.primitive == "kl_divergence")
    return inference([=, e = at::empty_like(x)]() mutable {
      at::log_out(e, y);
      at::sum_out(results, at::kl_div(e, x, at::Reduction::None), {1});
    });
  if (p.primitive == "cross_entropy_from_logits")
    return inference([=]() mutable {
      results.copy_(at::cross_entropy_loss(x, labels, {}, at::Reduction::None));
    });
  if (p.primitive == "cross_entropy_from_logits_and_target")
    return inference(
        [=]() mutable { results.copy_(at::cross_entropy_loss(x, y, {}, at::Reduction::None)); });
  if (p.primitive == "entropy_from_logits")
    return inference([=, l = at::empty_like(x), e = at::empty_like(x)]() mutable {
      at::_log_softmax_out(l, x, 1, false);
      at::exp_out(e, l);
      e.mul_(l);
      at::sum_out(results, e, {1});
      results.neg_();
    });
  if (p.primitive == "kl_divergence_from_logits")
    return inference([=, k = at::empty_like(x), l = at::empty_like(x)]() mutable {
      at::_log_softmax_out(k, x, 1, false);
      at::_log_softmax_out(l, y, 1, false);
      at::sum_out(results, at::kl_div(l, k, at::Reduction::None, true), {1});
    });
  return {};
}

}  // namespace

peer torch() { return {"PyTorch", prepare<float>, prepare<double>}; }

}  // namespace bench
