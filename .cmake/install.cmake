# What `cmake --install` installs: the libraries, their headers under include/tarsier, the files that
# make find_package(tarsier) work, and the program.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(TARSIER_PACKAGE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/tarsier)
set(TARSIER_INSTALLED autograd nn optim)
if(TARSIER_ZOO)
  list(APPEND TARSIER_INSTALLED zoo)
  install(TARGETS tarsier RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()

foreach(library IN LISTS TARSIER_INSTALLED)
  set_target_properties(tarsier_${library} PROPERTIES EXPORT_NAME ${library})
  install(TARGETS tarsier_${library} EXPORT tarsierTargets
          ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
          INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/${library}
          DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/tarsier
          FILES_MATCHING PATTERN "*.h"
          PATTERN self_attention EXCLUDE)  # has no headers
endforeach()
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})

install(EXPORT tarsierTargets NAMESPACE tarsier:: DESTINATION ${TARSIER_PACKAGE_DIR})
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/tarsierConfig.cmake.in tarsierConfig.cmake
                              INSTALL_DESTINATION ${TARSIER_PACKAGE_DIR})
write_basic_package_version_file(tarsierConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/tarsierConfig.cmake
              ${PROJECT_BINARY_DIR}/tarsierConfigVersion.cmake
        DESTINATION ${TARSIER_PACKAGE_DIR})
