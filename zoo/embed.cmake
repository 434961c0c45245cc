# The default data set: the project's own source text, embedded in the library, so that a freshly
# built `tarsier` can train without a download. zoo/data/embedded.h declares what is made here.
#
# The assembler reads the files itself (.incbin): compiling a string literal of several megabytes
# would take seconds at every edit of any file. The .cpp lists the files and changes only with
# that list; the object is built again when one of the files changes.
#
#
# Included by CMakeLists.txt, this file sets TARSIER_EMBEDDED_SOURCE to the .cpp.

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

# A label at the beginning of each file; from these the assembler computes the sizes.
set(embedded_text "")
set(embedded_sizes "")
set(embedded_names "")
set(number 0)
foreach(path IN LISTS embedded_files)
  # Escaped for two literals: the assembler's, inside C++'s.
  string(REGEX REPLACE "([\\\"])" "\\\\\\1" escaped "${PROJECT_SOURCE_DIR}/${path}")
  string(REGEX REPLACE "([\\\"])" "\\\\\\1" escaped "${escaped}")
  math(EXPR next "${number} + 1")
  string(APPEND embedded_text
         "    LABEL \"${number}: .incbin \\\"${escaped}\\\"\\n\"\n")
  string(APPEND embedded_sizes
         "    \".quad \" LABEL \"${next} - \" LABEL \"${number}\\n\"\n")
  string(APPEND embedded_names "      \"${path}\",\n")
  set(number ${next})
endforeach()
file(GENERATE OUTPUT ${TARSIER_EMBEDDED_SOURCE} CONTENT "// Made by zoo/embed.cmake.

#include <cstdint>

#include \"zoo/data/embedded.h\"

#if defined(__APPLE__)
#define LABEL \"Lembedded\"
#define SYMBOL \"_tarsier_embedded\"
#define BEGIN \".section __TEXT,__const\\n\"
#define END \".text\\n\"
#else
#define LABEL \".Lembedded\"
#define SYMBOL \"tarsier_embedded\"
#define BEGIN \".pushsection .rodata\\n\"
#define END \".popsection\\n\"
#endif

asm(BEGIN
    \".globl \" SYMBOL \"_text\\n\"
    \".globl \" SYMBOL \"_sizes\\n\"
    SYMBOL \"_text:\\n\"
${embedded_text}    LABEL \"${number}:\\n\"
    \".balign 8\\n\"
    SYMBOL \"_sizes:\\n\"
${embedded_sizes}    END);

extern \"C\" const char tarsier_embedded_text[];
extern \"C\" const uint64_t tarsier_embedded_sizes[];

namespace tarsier::zoo {

const std::vector<EmbeddedFile>& embedded_files() {
  static const std::vector<EmbeddedFile> files = [] {
    const char* const paths[] = {
${embedded_names}    };
    std::vector<EmbeddedFile> all;
    const char* text = tarsier_embedded_text;
    const uint64_t* size = tarsier_embedded_sizes;
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

list(TRANSFORM embedded_files PREPEND ${PROJECT_SOURCE_DIR}/ OUTPUT_VARIABLE embedded_paths)
# Text only: there is nothing to optimise.
set_source_files_properties(${TARSIER_EMBEDDED_SOURCE} PROPERTIES COMPILE_OPTIONS "-O0"
                            OBJECT_DEPENDS "${embedded_paths}" SKIP_PRECOMPILE_HEADERS ON)
