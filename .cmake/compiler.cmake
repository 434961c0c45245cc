# Which compilers can build tarsier. Checking for C++20 is not enough: older ones lack parts of it.

# tarsier_compiler_problem(RESULT ID VERSION): sets RESULT to what is wrong with the compiler, as a
# message for the user, or to "". ID and VERSION are CMAKE_CXX_COMPILER_ID and
# CMAKE_CXX_COMPILER_VERSION.
function(tarsier_compiler_problem result id version)
  set(problem "")
  set(needed_GNU 12)
  set(needed_Clang 16)
  set(needed_AppleClang 15)  # supports the same parts of C++20 as Clang 16
  if(NOT DEFINED needed_${id})
    string(CONCAT problem "the compiler is ${id} ${version}, and the kernels are written with the "
           "vector types of GCC and Clang")
  elseif(version VERSION_LESS needed_${id})
    string(CONCAT problem "the compiler is ${id} ${version}, which is older than "
           "${needed_${id}} and does not support all of C++20")
  endif()
  if(problem)
    string(APPEND problem ". tarsier needs g++ 12 or clang++ 16, or newer. Pass one to CMake in a new "
           "build folder: cmake -B build -D CMAKE_CXX_COMPILER=g++-12")
  endif()
  set(${result} "${problem}" PARENT_SCOPE)
endfunction()
