# tarsier_compile_in_groups(target): compiles its sources in up to 16 groups, each as one (a unity
# build), which takes two thirds of the time. The group follows from a source's own path: a new source
# joins one and moves no other. Names in an anonymous namespace must differ from those of the other
# sources of the group and of their headers; otherwise .scripts/setup.sh compiles each on its own.
function(tarsier_compile_in_groups target)
  get_target_property(sources ${target} SOURCES)
  list(FILTER sources EXCLUDE REGEX "^${PROJECT_BINARY_DIR}/")  # generated
  foreach(source IN LISTS sources)
    file(RELATIVE_PATH path ${PROJECT_SOURCE_DIR} ${source})
    string(SHA1 hash ${path})
    string(SUBSTRING ${hash} 0 1 group)
    set_source_files_properties(${source} PROPERTIES UNITY_GROUP ${group})
  endforeach()
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE GROUP)
endfunction()
