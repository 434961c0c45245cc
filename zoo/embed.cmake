# Files that are embedded in the library, so that the program needs nothing else:
#   embedded_files()   the project's own source text: the default data set (zoo/data/embedded.h)
#   page_files()       style sheets, scripts and markup of the pages that it writes, and the scripts of
#                      exports (zoo/report/files.h)
#
# The assembler reads the files itself (.incbin): compiling a string literal of several megabytes
# would take seconds at every edit of any file. The .cpp lists the files and changes only with
# that list; the object is built again when one of the files changes.
#
# Included by CMakeLists.txt, this file sets TARSIER_EMBEDDED_SOURCES to the .cpp files.

set(TARSIER_EMBEDDED_SOURCES)

# Defines `const std::vector<EmbeddedFile>& function()`, which `header` declares, for files relative to
# the project's folder.
function(tarsier_embed function header files)
  # A label at the beginning of each file; from these the assembler computes the sizes.
  set(text "")
  set(sizes "")
  set(names "")
  set(number 0)
  foreach(path IN LISTS files)
    # Escaped for two literals: the assembler's, inside C++'s.
    string(REGEX REPLACE "([\\\"])" "\\\\\\1" escaped "${PROJECT_SOURCE_DIR}/${path}")
    string(REGEX REPLACE "([\\\"])" "\\\\\\1" escaped "${escaped}")
    math(EXPR next "${number} + 1")
    string(APPEND text
           "    LABEL \"${number}: .incbin \\\"${escaped}\\\"\\n\"\n")
    string(APPEND sizes
           "    \".quad \" LABEL \"${next} - \" LABEL \"${number}\\n\"\n")
    string(APPEND names "      \"${path}\",\n")
    set(number ${next})
  endforeach()
  set(source ${PROJECT_BINARY_DIR}/${function}.cpp)
  file(GENERATE OUTPUT ${source} CONTENT "// Made by zoo/embed.cmake.

#include <cstdint>

#include \"${header}\"

#if defined(__APPLE__)
#define LABEL \"L${function}\"
#define SYMBOL \"_tarsier_${function}\"
#define BEGIN \".section __TEXT,__const\\n\"
#define END \".text\\n\"
#else
#define LABEL \".L${function}\"
#define SYMBOL \"tarsier_${function}\"
#define BEGIN \".pushsection .rodata\\n\"
#define END \".popsection\\n\"
#endif

asm(BEGIN
    \".globl \" SYMBOL \"_text\\n\"
    \".globl \" SYMBOL \"_sizes\\n\"
    SYMBOL \"_text:\\n\"
${text}    LABEL \"${number}:\\n\"
    \".balign 8\\n\"
    SYMBOL \"_sizes:\\n\"
${sizes}    END);

extern \"C\" const char tarsier_${function}_text[];
extern \"C\" const uint64_t tarsier_${function}_sizes[];

namespace tarsier::zoo {

const std::vector<EmbeddedFile>& ${function}() {
  static const std::vector<EmbeddedFile> files = [] {
    const char* const paths[] = {
${names}    };
    std::vector<EmbeddedFile> all;
    const char* text = tarsier_${function}_text;
    const uint64_t* size = tarsier_${function}_sizes;
    for (const char* path : paths) {
      all.push_back({path, {text, *size}});
      text += *size++;
    }
    return all;
  }();
  return files;
}

}  // namespace tarsier::zoo
")
  list(TRANSFORM files PREPEND ${PROJECT_SOURCE_DIR}/)
  # Text only: there is nothing to optimise.
  set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS "-O0" OBJECT_DEPENDS "${files}"
                              SKIP_PRECOMPILE_HEADERS ON)
  set(TARSIER_EMBEDDED_SOURCES ${TARSIER_EMBEDDED_SOURCES} ${source} PARENT_SCOPE)
endfunction()

set(embedded_globs)
foreach(folder autograd bench nn optim tests zoo)
  foreach(name *.h *.cpp *.md *.cmake CMakeLists.txt)
    list(APPEND embedded_globs ${PROJECT_SOURCE_DIR}/${folder}/${name})
  endforeach()
endforeach()
file(GLOB_RECURSE embedded_files RELATIVE ${PROJECT_SOURCE_DIR} CONFIGURE_DEPENDS ${embedded_globs})
list(APPEND embedded_files CMakeLists.txt)
list(SORT embedded_files)
tarsier_embed(embedded_files zoo/data/embedded.h "${embedded_files}")

file(GLOB_RECURSE page_files RELATIVE ${PROJECT_SOURCE_DIR} CONFIGURE_DEPENDS
     zoo/*.css zoo/*.js zoo/*.html zoo/export/*.py)
list(SORT page_files)
tarsier_embed(page_files zoo/report/files.h "${page_files}")
