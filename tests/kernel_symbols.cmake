# cmake -D NM=nm -D ISA=avx2 -D LIST=objects.txt -P kernel_symbols.cmake
#
# The kernels are compiled once per instruction set. A function that the linker may merge across
# object files (weak: templates, inline functions) must therefore carry the instruction set in its
# name. Otherwise its AVX-512 build could end up in every program. This looks for such functions.
if(NOT NM)
  message("skipped: no nm on this machine, so shared symbols of the ${ISA} kernels are not checked")
  return()
endif()
file(STRINGS "${LIST}" objects)
set(found "")
set(own 0)
foreach(object IN LISTS objects)
  execute_process(COMMAND "${NM}" -C --defined-only "${object}" OUTPUT_VARIABLE symbols
                  RESULT_VARIABLE status ERROR_VARIABLE error)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${NM} cannot read ${object}: ${error}")
  endif()
  string(REGEX MATCHALL "[^\n]+" lines "${symbols}")
  foreach(line IN LISTS lines)
    # Weak functions (W), weak objects (V), unique objects (u).
    if(line MATCHES "^[0-9a-f]* [WwVvu] (.*)$")
      set(name "${CMAKE_MATCH_1}")
      if(name MATCHES "kernels::${ISA}::")
        math(EXPR own "${own} + 1")
      elseif(NOT name MATCHES "^DW\\.ref\\.")  # a pointer of the exception tables, not code
        string(APPEND found "  ${name}\n    in ${object}\n")
      endif()
    elseif(line MATCHES "^[0-9a-f]* T .*kernels::${ISA}::")
      math(EXPR own "${own} + 1")
    endif()
  endforeach()
endforeach()
if(own EQUAL 0)
  message(FATAL_ERROR "no symbol of namespace tarsier::kernels::${ISA} found: this test checks nothing")
endif()
if(found)
  message(FATAL_ERROR "Symbols that the linker may share between instruction sets:\n${found}"
          "Replace the function of the standard library by one in the kernels' namespace.")
endif()
message("${own} symbols, all in tarsier::kernels::${ISA}")
