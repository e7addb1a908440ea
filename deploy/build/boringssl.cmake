# BoringSSL beside h2o's OpenSSL 3: a copy of the packaged library whose exported names carry the prefix BSSL_.
find_library(BORINGSSL_LIBRARY NAMES libcrypto.so.0
             PATHS /usr/lib/${CMAKE_LIBRARY_ARCHITECTURE}/android NO_DEFAULT_PATH REQUIRED)
find_path(BORINGSSL_INCLUDE_DIR openssl/hpke.h PATHS /usr/include/android NO_DEFAULT_PATH REQUIRED)

set(bssl_include ${CMAKE_BINARY_DIR}/bssl)
set(bssl_header ${bssl_include}/boringssl_prefix_symbols.h)
set(bssl_library ${CMAKE_BINARY_DIR}/libbssl_enc.so)
set(bssl_tool ${CMAKE_CURRENT_LIST_DIR}/prefix_elf.py)
file(MAKE_DIRECTORY ${bssl_include})

add_custom_command(
  OUTPUT ${bssl_library} ${bssl_header}
  COMMAND Python3::Interpreter ${bssl_tool} ${BORINGSSL_LIBRARY} ${bssl_library} BSSL_ ${bssl_header}
  DEPENDS ${BORINGSSL_LIBRARY} ${bssl_tool}
  COMMENT "Prefixing the names of ${BORINGSSL_LIBRARY}"
  VERBATIM)
add_custom_target(bssl_copy DEPENDS ${bssl_library} ${bssl_header})

add_library(bssl SHARED IMPORTED GLOBAL)
set_target_properties(bssl PROPERTIES IMPORTED_LOCATION ${bssl_library} IMPORTED_SONAME libbssl_enc.so)
target_include_directories(bssl SYSTEM INTERFACE ${bssl_include} ${BORINGSSL_INCLUDE_DIR})
target_compile_definitions(bssl INTERFACE BORINGSSL_PREFIX=BSSL)
add_dependencies(bssl bssl_copy)
install(FILES ${bssl_library} DESTINATION lib/enclaved)
