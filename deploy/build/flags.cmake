# Compiler and linker flags of everything we build.
include(CheckCCompilerFlag)
include(CheckPIESupported)

set(CMAKE_C_FLAGS_DEBUG "-Og -g")
set(CMAKE_C_FLAGS_RELEASE "-O2 -g")

add_compile_options(-Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -fPIE
                    -fstack-protector-strong)
foreach(flag IN ITEMS -fstack-clash-protection -fcf-protection -mbranch-protection=standard)
  string(MAKE_C_IDENTIFIER "has${flag}" known)
  check_c_compiler_flag("-Werror ${flag}" ${known})
  if(${known})
    add_compile_options(${flag})
  endif()
endforeach()
# Linux and glibc are what we run on; no file asks for their names by itself.
add_compile_definitions(_GNU_SOURCE=1)
add_link_options(-pie -Wl,-z,relro,-z,now,-z,noexecstack,--as-needed)

if(ENC_SANITIZE)
  # Instrumented code makes gcc warn of what nobody wrote; the plain builds keep every warning an error.
  add_compile_options(-fsanitize=${ENC_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${ENC_SANITIZE})
else()
  add_compile_options(-Werror)
  add_compile_definitions($<$<CONFIG:Release>:_FORTIFY_SOURCE=2>)
endif()

# Sanitizers and counters make calls and write files that the node itself never would.
if(ENC_SANITIZE OR ENC_COVERAGE)
  add_compile_definitions(ENC_CONFINABLE=0)
else()
  add_compile_definitions(ENC_CONFINABLE=1)
endif()

if(ENC_COVERAGE)
  add_compile_options(--coverage -fprofile-update=atomic -O0)
  add_link_options(--coverage)
endif()
