# How a room becomes a library and a main file a program.

# Sources that match the patterns, except those named after WITHOUT. New files are found without touching CMake.
function(enc_sources out)
  cmake_parse_arguments(arg "" "" "SOURCES;WITHOUT" ${ARGN})
  list(TRANSFORM arg_SOURCES PREPEND ${PROJECT_SOURCE_DIR}/)
  list(TRANSFORM arg_WITHOUT PREPEND ${PROJECT_SOURCE_DIR}/)
  file(GLOB found CONFIGURE_DEPENDS ${arg_SOURCES})
  list(REMOVE_ITEM found ${arg_WITHOUT})
  set(${out} ${found} PARENT_SCOPE)
endfunction()

# enc_room(name SOURCES patterns [WITHOUT files] [BELOW rooms] [FOREIGN targets])
function(enc_room name)
  cmake_parse_arguments(arg "" "" "SOURCES;WITHOUT;BELOW;FOREIGN" ${ARGN})
  enc_sources(sources SOURCES ${arg_SOURCES} WITHOUT ${arg_WITHOUT})
  if(NOT sources)
    set(sources ${CMAKE_BINARY_DIR}/empty_${name}.c)
    file(CONFIGURE OUTPUT ${sources} CONTENT "/* This room has no source yet. */\n")
  endif()
  add_library(${name} STATIC ${sources})
  target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PUBLIC ${arg_BELOW} $<$<BOOL:${ENC_EDGES}>:edges> PRIVATE ${arg_FOREIGN})
endfunction()

# enc_program(name SOURCES patterns): one executable over all rooms.
function(enc_program name)
  enc_sources(sources ${ARGN})
  if(sources)
    add_executable(${name} ${sources})
    target_link_libraries(${name} PRIVATE net net_foreign)
    install(TARGETS ${name})
  endif()
endfunction()
