# Common mistakes do not compile, and the compiler says what is meant. Run by ctest as
#   cmake -D CXX=g++ -D SOURCE=… -D BINARY=… -P misuse.cmake

# expect(name text code): a program with `code` in main() is refused, with `text` in the errors;
# accepted, where `text` is empty.
function(expect name text code)
  set(file ${BINARY}/misuse/${name}.cpp)
  file(WRITE ${file} "#include \"autograd/autograd.h\"\n#include \"nn/nn.h\"\n"
       "#include \"optim/optim.h\"\nusing namespace tarsier;\n${DECLARATIONS}\n"
       "int main() {\n${code}\n}\n")
  execute_process(COMMAND ${CXX} -std=c++20 -fsyntax-only -I${SOURCE} ${file}
                  RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
  string(REGEX REPLACE "[ \n]+" " " output "${output}")
  if(text STREQUAL "")
    if(NOT result EQUAL 0)
      message(SEND_ERROR "${name} should compile: ${output}")
    endif()
  elseif(result EQUAL 0)
    message(SEND_ERROR "${name} compiles")
  else()
    string(FIND "${output}" "${text}" at)
    if(at EQUAL -1)
      message(SEND_ERROR "${name}: '${text}' is not in: ${output}")
    endif()
  endif()
endfunction()

set(DECLARATIONS [[
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
]])

expect(fine "" [[
  Fine fine;
  Two two;
  const Tensor x = ones({2}), y = two(fine(x), x);
  record("fine", {x}, y, Save{}, [](const Saved&, const Tensor& dy) -> Grads { return {dy}; });
  record("fine", {x}, y, Save{}, [](const Saved&, const Tensor& dy) { return Grads{dy}; });
  nn::Sequential all;
  all.add<Fine>().add<nn::Linear>(2, 3);
  optim::AdamW optimizer(all.named_parameters());
  optim::AdamW of_groups({{all.named_parameters(), {.lr = 0.1}}});
  from_vector<int64_t>({1, 2}, {2});]])

set(forward "a Layer needs a public `Tensor forward(const Arg& x)`")
expect(no_forward "${forward}" "Misspelt layer; layer(ones({2}));")
expect(private_forward "${forward}" "Hidden layer; layer(ones({2}));")
expect(other_arguments "${forward}" "Two layer; layer(ones({2}));")
expect(not_for_sequential "Sequential calls its layers with one tensor"
       "nn::Sequential all; all.add<Two>();")

set(record "const Tensor x = ones({2}); record(\"mine\", {x}, x * 2, Save{x}, ")
expect(backward_returns_tensor "the backward returns Grads, one gradient per input"
       "${record} [](const Saved&, const Tensor& dy) { return dy * 2; });")
expect(backward_takes_dy_alone "the backward is called as backward(const Saved& saved, const Tensor& dy)"
       "${record} [](const Tensor& dy) -> Grads { return {dy * 2}; });")

expect(from_vector_of_int "from_vector: tensors hold float, double, int64_t or bool"
       "from_vector(std::vector<int>{1, 2}, {2});")
expect(span_of_int "tensors hold float, double, int64_t or bool" "ones({2}).span<int>();")

foreach(optimizer SGD Adam AdamW RMSprop Adagrad Adafactor Lion Muon)
  expect(parameters_of_${optimizer} "use named_parameters() instead of parameters()"
         "nn::Linear layer(2, 3); optim::${optimizer} optimizer(layer.parameters(), {});")
endforeach()
