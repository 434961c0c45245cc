# The default data set: the project's own source text, made into a .cpp file at build time, so that
# a freshly built `tarsier` has something to learn from without a download.
#
# Included by CMakeLists.txt, this file sets TARSIER_EMBEDDED_SOURCE to the generated .cpp and adds
# the rule that makes it. Run as a script (cmake -P), it is that rule: see the first branch. What is
# generated is declared in zoo/data/embedded.h.

if(CMAKE_SCRIPT_MODE_FILE)
  # cmake -DROOT=<source folder> -DLIST=<file of relative paths> -DOUT=<.cpp> -P embed.cmake
  # One raw string literal for each file. The delimiter is put together from two parts, or this
  # file's own text would end its literal.
  set(delimiter "tar")
  string(APPEND delimiter "sier")
  set(code "// Made by zoo/embed.cmake from the project's sources.\n\n")
  string(APPEND code "#include \"zoo/data/embedded.h\"\n\nnamespace tarsier::zoo {\n\n")
  string(APPEND code "const std::vector<EmbeddedFile>& embedded_files() {\n")
  string(APPEND code "  static const std::vector<EmbeddedFile> files = {\n")
  file(STRINGS "${LIST}" paths)
  foreach(path IN LISTS paths)
    file(READ "${ROOT}/${path}" text)
    string(APPEND code "{\"${path}\", R\"${delimiter}(${text})${delimiter}\"},\n")
  endforeach()
  string(APPEND code "  };\n  return files;\n}\n\n}  // namespace tarsier::zoo\n")
  file(WRITE "${OUT}.tmp" "${code}")
  file(RENAME "${OUT}.tmp" "${OUT}")
  return()
endif()

set(TARSIER_EMBEDDED_SOURCE ${PROJECT_BINARY_DIR}/embedded_source.cpp)
set(embedded_globs)
foreach(folder autograd bench nn optim tests zoo)
  foreach(name *.h *.cpp *.md *.cmake CMakeLists.txt)
    list(APPEND embedded_globs ${PROJECT_SOURCE_DIR}/${folder}/${name})
  endforeach()
endforeach()
file(GLOB_RECURSE embedded_files RELATIVE ${PROJECT_SOURCE_DIR} CONFIGURE_DEPENDS ${embedded_globs})
list(APPEND embedded_files CMakeLists.txt)
list(SORT embedded_files)

# The list goes through a file, written only when it changes, for a command line would be too long.
string(REPLACE ";" "\n" embedded_list "${embedded_files}")
set(embedded_list_file ${PROJECT_BINARY_DIR}/embedded_source.txt)
file(GENERATE OUTPUT ${embedded_list_file} CONTENT "${embedded_list}\n")

list(TRANSFORM embedded_files PREPEND ${PROJECT_SOURCE_DIR}/ OUTPUT_VARIABLE embedded_paths)
add_custom_command(
  OUTPUT ${TARSIER_EMBEDDED_SOURCE}
  COMMAND ${CMAKE_COMMAND} -DROOT=${PROJECT_SOURCE_DIR} -DLIST=${embedded_list_file}
          -DOUT=${TARSIER_EMBEDDED_SOURCE} -P ${CMAKE_CURRENT_LIST_DIR}/embed.cmake
  DEPENDS ${embedded_paths} ${embedded_list_file} ${CMAKE_CURRENT_LIST_DIR}/embed.cmake
  COMMENT "Embedding the project's source text"
  VERBATIM)
# Text only: nothing to optimise, no warning to give, so no time is lost on it.
set_source_files_properties(${TARSIER_EMBEDDED_SOURCE} PROPERTIES COMPILE_OPTIONS "-O0"
                            SKIP_PRECOMPILE_HEADERS ON)
