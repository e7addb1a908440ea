# The unit and what belongs to it. Its paths are those of the prefix that is installed to, known at that time only.
set(systemd_dir ${PROJECT_SOURCE_DIR}/deploy/systemd)
install(CODE "
  set(bindir \"\${CMAKE_INSTALL_PREFIX}/bin\")
  configure_file(${systemd_dir}/enclaved.service.in ${CMAKE_BINARY_DIR}/enclaved.service @ONLY)")
install(FILES ${CMAKE_BINARY_DIR}/enclaved.service DESTINATION lib/systemd/system)
install(FILES ${systemd_dir}/enclaved.sysusers.conf DESTINATION lib/sysusers.d RENAME enclaved.conf)
install(FILES ${systemd_dir}/enclaved.tmpfiles.conf DESTINATION lib/tmpfiles.d RENAME enclaved.conf)
install(FILES ${systemd_dir}/node-key.conf DESTINATION share/doc/enclaved)
