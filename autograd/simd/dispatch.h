#pragma once
// From a family of kernels to its functions for the instruction set in use.
//
// A family is a struct of function pointers in x.kernel.h: SoftmaxKernels<T>. Its source,
// x.kernel.cpp, is compiled once per instruction set, in a namespace of that name, and ends with
// the tables that it offers:
//
//   template <>
//   SoftmaxKernels<float> kernels_of<kIsa>() { return TARSIER_ISA::softmax_kernels<float>(); }
//
// and the same for double. An op calls
//
//   active<SoftmaxKernels<T>>().softmax(rows, n, x, y);

#include "isa.h"

namespace tarsier::kernels {

/// The kernels of a family, as compiled for one instruction set.
template <Isa isa, class Family>
Family kernels_of();

namespace detail {

template <Isa... isas>
struct IsaList {};

template <class Family, Isa... isas>
Family choose(IsaList<isas...>) {
  const Isa chosen = active_isa();
  Family family{};
  ((chosen == isas ? void(family = kernels_of<isas, Family>()) : void()), ...);
  return family;
}

}  // namespace detail

/// The kernels of a family for the instruction set in use.
template <class Family>
const Family& active() {
  static const Family family = detail::choose<Family>(detail::IsaList<TARSIER_BUILT_ISAS>());
  return family;
}

}  // namespace tarsier::kernels
