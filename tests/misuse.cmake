# Common mistakes do not compile, and the compiler says what to do instead. Run by ctest as
#   cmake -D CXX=g++ -D SOURCE=… -D BINARY=… -P misuse.cmake
# Two programs: a correct one, and one with every mistake, each of which must be named.

set(head [[
#include <type_traits>

#include "autograd/autograd.h"
#include "nn/nn.h"
#include "optim/optim.h"
using namespace tarsier;

struct Fine : nn::Layer<Fine> {
  Tensor forward(const Arg& x) { return x; }
};
struct Misspelt : nn::Layer<Misspelt> {
  Tensor forwrad(const Arg& x) { return x; }
};
struct Hidden : nn::Layer<Hidden> {
 private:
  Tensor forward(const Arg& x) { return x; }
};
struct Two : nn::Layer<Two> {
  Tensor forward(const Arg& x, const Arg& y) { return x + y; }
};
// The check is in a constructor of TensorDict, which all optimisers take.
template <class Optimizer, class Options>
constexpr bool takes_parameters = std::is_constructible_v<Optimizer, std::vector<Tensor>, Options>;
static_assert(takes_parameters<optim::SGD, optim::SGDOptions>);
static_assert(takes_parameters<optim::Adam, optim::AdamOptions>);
static_assert(takes_parameters<optim::AdamW, optim::AdamWOptions>);
static_assert(takes_parameters<optim::Adagrad, optim::AdagradOptions>);
static_assert(takes_parameters<optim::Adafactor, optim::AdafactorOptions>);
static_assert(takes_parameters<optim::Lion, optim::LionOptions>);
static_assert(takes_parameters<optim::Muon, optim::MuonOptions>);
static_assert(takes_parameters<optim::NAdam, optim::NAdamOptions>);
static_assert(takes_parameters<optim::RAdam, optim::RAdamOptions>);
static_assert(takes_parameters<optim::Adadelta, optim::AdadeltaOptions>);
static_assert(takes_parameters<optim::RMSprop, optim::RMSpropOptions>);

int main() {
  const Tensor x = ones({2});
]])

# compile(name code): sets `result` and `output` of the compiler.
function(compile name code)
  set(file ${BINARY}/misuse/${name}.cpp)
  file(WRITE ${file} "${head}${code}\n}\n")
  execute_process(COMMAND ${CXX} -std=c++20 -fsyntax-only -I${SOURCE} ${file}
                  RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
  set(result ${result} PARENT_SCOPE)
  set(output "${output}" PARENT_SCOPE)
endfunction()

compile(right [[
  Fine fine;
  Two two;
  const Tensor y = two(fine(x), x);
  record("fine", {x}, y, Save{}, [](const Saved&, const Tensor& dy) -> Grads { return {dy}; });
  record("fine", {x}, y, Save{}, [](const Saved&, const Tensor& dy) { return Grads{dy}; });
  nn::Sequential all;
  all.add<Fine>().add<nn::Linear>(2, 3);
  optim::AdamW optimizer(all.named_parameters());
  optim::AdamW of_groups({{all.named_parameters(), {.lr = 0.1}}});
  from_vector<int64_t>({1, 2}, {2});
]])
if(NOT result EQUAL 0)
  message(FATAL_ERROR "a correct program does not compile: ${output}")
endif()

compile(wrong [[
  Misspelt misspelt;
  misspelt(x);
  Hidden hidden;
  hidden(x);
  Two two;
  two(x);
  nn::Sequential all;
  all.add<Two>();
  record("mine", {x}, x * 2, Save{x}, [](const Saved&, const Tensor& dy) { return dy * 2; });
  record("mine", {x}, x * 2, Save{x}, [](const Tensor& dy) -> Grads { return {dy * 2}; });
  from_vector(std::vector<int>{1, 2}, {2});
  x.span<int>();
  optim::AdamW optimizer(all.parameters(), {});
]])
# expect(count text): `count` compiler errors contain `text`.
function(expect count text)
  string(REGEX MATCHALL "error:[^\n]*static[^\n]*${text}" found "${output}")
  list(LENGTH found number)
  if(NOT number EQUAL count)
    message(SEND_ERROR "${number} errors say '${text}', expected ${count}, in: ${output}")
  endif()
endfunction()
expect(3 "a Layer needs a public .Tensor forward.const Arg& x..")
expect(1 "Sequential calls its layers with one tensor")
expect(1 "the backward returns Grads, one gradient per input")
expect(1 "the backward is called as backward.const Saved& saved, const Tensor& dy.")
expect(1 "from_vector: tensors hold float, double, int64_t or bool")
expect(1 "(failed|'): tensors hold float, double, int64_t or bool")
expect(1 "use named_parameters.. instead of parameters..")
