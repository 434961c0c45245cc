# Every ```cpp block of the READMEs is compiled, and run if it has a main function:
#   ```cpp            a whole file
#   ```cpp fragment   statements: they are put into a main function after the three umbrella headers
# A README that no longer compiles fails the build; a program that fails, fails its test.

# tarsier_add_snippets(README name): writes ${name}_1.cpp, … into the build folder, and adds a target
# and a test for each.
function(tarsier_add_snippets readme name)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${readme})
  file(READ ${readme} rest)
  set(count 0)
  while(TRUE)
    string(FIND "${rest}" "\n```cpp" begin)
    if(begin EQUAL -1)
      break()
    endif()
    math(EXPR begin "${begin} + 1")
    string(SUBSTRING "${rest}" ${begin} -1 rest)
    string(FIND "${rest}" "\n" line)
    string(SUBSTRING "${rest}" 0 ${line} info)
    math(EXPR line "${line} + 1")
    string(SUBSTRING "${rest}" ${line} -1 rest)
    string(FIND "${rest}" "\n```" end)
    if(end EQUAL -1)
      message(FATAL_ERROR "${readme}: a block of code is not closed")
    endif()
    string(SUBSTRING "${rest}" 0 ${end} code)
    string(SUBSTRING "${rest}" ${end} -1 rest)
    string(SUBSTRING "${rest}" 4 -1 rest)
    math(EXPR count "${count} + 1")

    set(target docs_${name}_${count})
    set(file ${CMAKE_CURRENT_BINARY_DIR}/docs/${target}.cpp)
    if(info MATCHES "^```cpp fragment")
      string(PREPEND code "#include <iostream>\n\n#include <tarsier/autograd/autograd.h>\n"
             "#include <tarsier/nn/nn.h>\n#include <tarsier/optim/optim.h>\n\nusing namespace tarsier;\n\n"
             "int main() {\n")
      string(APPEND code "\n}")
    endif()
    file(CONFIGURE OUTPUT ${file} CONTENT "${code}\n" @ONLY)
    if(code MATCHES "int main\\(")
      add_executable(${target} ${file})
      add_test(NAME ${target} COMMAND ${target})
    else()
      add_library(${target} OBJECT ${file})
    endif()
    target_link_libraries(${target} PRIVATE tarsier_flags tarsier_zoo)
    target_compile_options(${target} PRIVATE -O1 -Wno-unused)
  endwhile()
endfunction()

file(GLOB parts RELATIVE ${PROJECT_SOURCE_DIR} CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/*/*/README.md)
list(TRANSFORM parts REPLACE "/README.md" "")
list(FILTER parts INCLUDE REGEX "^(autograd|nn|optim|zoo)/")
foreach(folder . autograd nn optim zoo tests bench ${parts})  # a missing README fails readme_test.cpp
  set(readme ${PROJECT_SOURCE_DIR}/${folder}/README.md)
  if(EXISTS ${readme})
    string(REPLACE . main name ${folder})
    string(REPLACE / _ name ${name})
    tarsier_add_snippets(${readme} ${name})
  endif()
endforeach()
