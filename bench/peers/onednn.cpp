// SPDX-License-Identifier: MIT
// oneDNN: softmax and log_softmax of float rows, on one thread; creation of the primitive, which
// compiles code, is not part of what is timed.
#include <dlfcn.h>

#include <memory>
#include <oneapi/dnnl/dnnl.hpp>

#include "peer.hpp"

namespace bench {
namespace {

void one_thread() {
  // oneDNN of Debian brings its own OpenMP runtime; asking it by name spares us a dependency.
  using setter = void (*)(int);
  if (auto set = reinterpret_cast<setter>(dlsym(RTLD_DEFAULT, "omp_set_num_threads"))) set(1);
}

job prepare(const problem<float>& p) {
  const bool log = p.primitive == "log_softmax";
  if (p.primitive != "softmax" && !log) return {};
  one_thread();
  try {
    using namespace dnnl;
    engine cpu(engine::kind::cpu, 0);
    stream queue(cpu);
    const memory::dims dims{static_cast<memory::dim>(p.rows), static_cast<memory::dim>(p.columns)};
    const memory::desc desc(dims, memory::data_type::f32, memory::format_tag::ab);
    const auto kind = log ? algorithm::softmax_log : algorithm::softmax_accurate;
#if DNNL_VERSION_MAJOR < 3
    const softmax_v2_forward::primitive_desc plan(
        {prop_kind::forward_inference, kind, desc, desc, 1}, cpu);
    const softmax_v2_forward run(plan);
#else
    const softmax_forward::primitive_desc plan(cpu, prop_kind::forward_inference, kind, desc, desc,
                                               1);
    const softmax_forward run(plan);
#endif
    memory in(desc, cpu, const_cast<float*>(p.a));
    memory out(desc, cpu, p.out);
    const std::unordered_map<int, memory> arguments{{DNNL_ARG_SRC, in}, {DNNL_ARG_DST, out}};
    return [run, arguments, queue]() mutable {
      run.execute(queue, arguments);
      queue.wait();
    };
  } catch (const dnnl::error&) {
    return {};
  }
}

}  // namespace

peer onednn() { return {"oneDNN", prepare, nullptr}; }

}  // namespace bench
