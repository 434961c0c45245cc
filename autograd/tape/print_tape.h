#pragma once
// The tape as text: a table for people, and Graphviz for drawings.

#include <iosfwd>
#include <string>

#include "../tensor/tensor.h"

namespace tarsier {

namespace tape {

/// Prints the ops that led to `x`, in the order in which they were recorded: a number, the op, the
/// shape of its result, its inputs, the module path and the line that called it. An input is the
/// number of another op, or the shape of a leaf, with a star if it requires a gradient. An input that
/// was left out is a dash, as in linear(x, w) without a bias.
///
///   #  op      shape   inputs                path  line
///   0  linear  (4, 2)  (4, 3) (2, 3)* (2,)*  fc    model.h:12
///   1  sum     ()      0                           main.cpp:20
///
/// An op with several outputs is a line of its own; its outputs are lines that refer to it.
/// Does not recurse. Throws Error("print") if no op was recorded for `x`.
void print(const Tensor& x, std::ostream& out, SourceLine at = SourceLine::current());
/// The same on standard output.
void print(const Tensor& x, SourceLine at = SourceLine::current());

}  // namespace tape

/// The graph of `x` in the language of Graphviz: ops as boxes, grouped by module path, leaves that
/// require a gradient as ellipses. Draw it with `dot -Tsvg`:
///   std::ofstream("tape.dot") << to_dot(loss);
/// Throws Error("to_dot") if no op was recorded for `x`.
std::string to_dot(const Tensor& x, SourceLine at = SourceLine::current());

}  // namespace tarsier
