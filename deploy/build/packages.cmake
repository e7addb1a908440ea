# Foreign libraries. Each is given to the one room that may see its headers.
find_package(PkgConfig REQUIRED)
find_package(Python3 REQUIRED COMPONENTS Interpreter)
find_package(Threads REQUIRED)

function(enc_packages)
  foreach(row IN LISTS ARGN)
    string(REPLACE "=" ";" row ${row})
    list(GET row 0 name)
    list(GET row 1 module)
    pkg_check_modules(${name} REQUIRED IMPORTED_TARGET GLOBAL ${module})
  endforeach()
endfunction()

enc_packages(secp256k1=libsecp256k1 lmdb=lmdb uv=libuv h2o=libh2o tls=openssl curl=libcurl z=zlib brotli=libbrotlienc yaml=yaml-0.1 seccomp=libseccomp
             utf8proc=libutf8proc)
if(ENC_TESTS)
  enc_packages(criterion=criterion jansson=jansson)
endif()

find_library(WSLAY_LIBRARY wslay REQUIRED)
add_library(wslay UNKNOWN IMPORTED GLOBAL)
set_target_properties(wslay PROPERTIES IMPORTED_LOCATION ${WSLAY_LIBRARY})

add_library(net_foreign INTERFACE)
target_link_libraries(net_foreign INTERFACE PkgConfig::h2o PkgConfig::uv PkgConfig::tls PkgConfig::curl PkgConfig::z PkgConfig::brotli
                                            PkgConfig::yaml PkgConfig::seccomp wslay Threads::Threads)
# The packaged libh2o is built for libuv; any other value changes the layout of its structs.
target_compile_definitions(net_foreign INTERFACE H2O_USE_LIBUV=1)
