# Debian packages: equinox (daemon and client) and libequinox-dev (headers, library, CMake and pkg-config files). The library is
# an archive: why there is no libequinox1 is in docs/decisions/0009-the-library-is-an-archive.md.
# Included by the top level after every install() rule; those name COMPONENT appliance or COMPONENT libequinox-dev.
#   SOURCE_DATE_EPOCH=$(git log -1 --format=%ct) cpack --config build/release/CPackConfig.cmake -B build/packages
set(EQUINOX_DEBIAN_DIR ${CMAKE_CURRENT_LIST_DIR})
set(EQUINOX_SYSTEMD_DIR ${CMAKE_CURRENT_LIST_DIR}/../systemd)
set(EQUINOX_DEBIAN_BUILD ${CMAKE_BINARY_DIR}/debian)
find_program(EQUINOX_GZIP gzip)

# Same bytes every time: no name and no time in the header.
function(equinox_gzip source target)
  get_filename_component(folder ${target} DIRECTORY)
  file(MAKE_DIRECTORY ${folder})
  execute_process(COMMAND ${EQUINOX_GZIP} -9nc ${source} OUTPUT_FILE ${target} COMMAND_ERROR_IS_FATAL ANY)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${source})
endfunction()

foreach(entry appliance:equinox libequinox-dev:libequinox-dev)
  string(REGEX MATCH "^[^:]+" component ${entry})
  string(REGEX MATCH "[^:]+$" package ${entry})
  equinox_gzip(${EQUINOX_DEBIAN_DIR}/changelog ${EQUINOX_DEBIAN_BUILD}/${package}/changelog.gz)
  install(FILES ${EQUINOX_DEBIAN_BUILD}/${package}/changelog.gz ${EQUINOX_DEBIAN_DIR}/copyright
    DESTINATION share/doc/${package} COMPONENT ${component} EXCLUDE_FROM_ALL)
endforeach()

foreach(page equinox.1 equinox.json.5)
  string(REGEX MATCH "[0-9]$" section ${page})
  equinox_gzip(${EQUINOX_DEBIAN_DIR}/man/${page} ${EQUINOX_DEBIAN_BUILD}/man/${page}.gz)
  install(FILES ${EQUINOX_DEBIAN_BUILD}/man/${page}.gz DESTINATION share/man/man${section} COMPONENT appliance)
endforeach()

# Where the distribution's manager looks; absolute, because neither belongs under the prefix. Only packages get them.
install(FILES ${EQUINOX_SYSTEMD_DIR}/equinox.service ${EQUINOX_SYSTEMD_DIR}/equinox.socket
  DESTINATION /lib/systemd/system COMPONENT appliance EXCLUDE_FROM_ALL)
install(FILES ${EQUINOX_SYSTEMD_DIR}/equinox.sysusers
  DESTINATION /usr/lib/sysusers.d RENAME equinox.conf COMPONENT appliance EXCLUDE_FROM_ALL)
install(FILES ${EQUINOX_SYSTEMD_DIR}/equinox.tmpfiles
  DESTINATION /usr/lib/tmpfiles.d RENAME equinox.conf COMPONENT appliance EXCLUDE_FROM_ALL)
install(FILES ${EQUINOX_SYSTEMD_DIR}/equinox.json DESTINATION /etc/equinox COMPONENT appliance EXCLUDE_FROM_ALL)
install(FILES ${EQUINOX_SYSTEMD_DIR}/notify-reload.conf
  DESTINATION share/doc/equinox/examples COMPONENT appliance EXCLUDE_FROM_ALL)

# Completions come from the binary, so they cannot differ from its options.
if(TARGET equinox AND NOT CMAKE_CROSSCOMPILING)
  foreach(entry "bash|share/bash-completion/completions/equinox" "zsh|share/zsh/vendor-completions/_equinox"
                "fish|share/fish/vendor_completions.d/equinox.fish")
    string(REPLACE "|" ";" parts ${entry})
    list(GET parts 0 shell)
    list(GET parts 1 path)
    install(CODE "
      set(file \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${path}\")
      get_filename_component(folder \"\${file}\" DIRECTORY)
      file(MAKE_DIRECTORY \"\${folder}\")
      execute_process(COMMAND \"$<TARGET_FILE:equinox>\" completion ${shell} OUTPUT_FILE \"\${file}\" COMMAND_ERROR_IS_FATAL ANY)
      file(CHMOD \"\${file}\" PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)"
      COMPONENT appliance)
  endforeach()
endif()

set(CPACK_GENERATOR DEB)
set(CPACK_COMPONENTS_ALL appliance libequinox-dev)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_SET_DESTDIR ON)
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_PACKAGE_NAME equinox)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT "Equinox maintainers <equinox@example.org>" CACHE STRING "Maintainer of the packages")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION web)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)

set(CPACK_DEBIAN_APPLIANCE_PACKAGE_NAME equinox)
set(CPACK_DEBIAN_APPLIANCE_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_APPLIANCE_PACKAGE_DEPENDS
  "systemd | systemd-standalone-sysusers, systemd | systemd-standalone-tmpfiles, init-system-helpers (>= 1.52), libnghttp2-14 (>= 1.52.0-1+deb12u3)")
set(CPACK_DEBIAN_APPLIANCE_DESCRIPTION "HTTP/1.1 and HTTP/2 server you can see inside
Equinox serves static sites and built-in handlers over HTTP/1.1, HTTP/2 and
TLS. Every open connection can be watched live, and every closed one can be
explained, without slowing the traffic.
.
It exports metrics for Prometheus, carries its own browser dashboard, and
drains without losing a request.")
set(CPACK_DEBIAN_APPLIANCE_PACKAGE_CONTROL_EXTRA
  "${EQUINOX_DEBIAN_DIR}/postinst;${EQUINOX_DEBIAN_DIR}/prerm;${EQUINOX_DEBIAN_DIR}/postrm;${EQUINOX_DEBIAN_DIR}/conffiles")

set(CPACK_DEBIAN_LIBEQUINOX-DEV_PACKAGE_NAME libequinox-dev)
set(CPACK_DEBIAN_LIBEQUINOX-DEV_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_LIBEQUINOX-DEV_PACKAGE_DEPENDS
  "libssl-dev, libnghttp2-dev, zlib1g-dev, libbrotli-dev, libzstd-dev, libspdlog-dev, nlohmann-json3-dev, libexpected-dev, prometheus-cpp-dev")
set(CPACK_DEBIAN_LIBEQUINOX-DEV_DESCRIPTION "HTTP server you can see inside - development files
Headers, library, CMake package and pkg-config files for C++20 programs that
embed the Equinox HTTP server: routes, streaming bodies, metrics and the admin
surface.")

include(CPack)
