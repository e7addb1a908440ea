#!/usr/bin/env python3
"""Copy a shared library with every exported symbol renamed, and write the header that maps the old names to the new.

The packaged BoringSSL and OpenSSL 3 export 1,800 equal names; in one process the wrong one is called. A copy whose
dynamic symbols carry a prefix can be linked beside OpenSSL in any order. Nothing but names is changed: code, data and
relocations (which refer to symbols by index) stay byte for byte.

    prefix_elf.py IN.so OUT.so PREFIX HEADER.h

Little-endian ELF64 only (x86-64, arm64).
"""

import os
import struct
import sys

SHT_PROGBITS, SHT_STRTAB, SHT_HASH, SHT_DYNAMIC, SHT_DYNSYM = 1, 3, 5, 6, 11
SHT_GNU_HASH = 0x6FFFFFF6
PT_LOAD, PT_NOTE, PF_R = 1, 4, 4
DT_NULL, DT_HASH, DT_STRTAB, DT_STRSZ, DT_SONAME, DT_GNU_HASH = 0, 4, 5, 10, 14, 0x6FFFFEF5

EHDR = struct.Struct("<16sHHIQQQIHHHHHH")
PHDR = struct.Struct("<IIQQQQQQ")  # type flags offset vaddr paddr filesz memsz align
SHDR = struct.Struct("<IIQQQQIIQQ")  # name type flags addr offset size link info align entsize
SYM = struct.Struct("<IBBHQQ")  # name info other shndx value size
DYN = struct.Struct("<qQ")


def table(image, form, offset, count):
    """The rows of a table of equal structs, each as a list that can be edited."""
    return [list(form.unpack_from(image, offset + i * form.size)) for i in range(count)]


def put_table(image, form, offset, rows):
    for i, row in enumerate(rows):
        form.pack_into(image, offset + i * form.size, *row)


def only(sections, kind):
    found = [s for s in sections if s[1] == kind]
    if len(found) != 1:
        sys.exit(f"prefix_elf: {len(found)} sections of type {kind:#x}, expected 1")
    return found[0]


def sysv_hash(name):
    h = 0
    for byte in name:
        h = (h << 4) + byte
        h = (h ^ ((h & 0xF0000000) >> 24)) & 0x0FFFFFFF
    return h


def hash_table(names):
    """A SysV hash table; names[i] is the name of symbol i, or None when the library does not define it."""
    buckets, chains = [0] * len(names), [0] * len(names)
    for i, name in enumerate(names):
        if name is not None:
            slot = sysv_hash(name) % len(buckets)
            chains[i], buckets[slot] = buckets[slot], i
    words = [len(buckets), len(chains), *buckets, *chains]
    return struct.pack(f"<{len(words)}I", *words)


def rename(symbols, strings, prefix):
    """Point every defined symbol at a prefixed name appended to strings. Returns old names and the names to hash."""
    old, hashed = [], []
    for sym in symbols:
        name = bytes(strings[sym[0]:strings.index(0, sym[0])])
        defined = sym[3] != 0 and name != b""
        if defined:
            sym[0] = len(strings)
            strings += prefix + name + b"\0"
            old.append(name)
        hashed.append(prefix + name if defined else None)
    return old, hashed


def check(image):
    if image[:6] != b"\x7fELF\x02\x01":
        sys.exit("prefix_elf: not a little-endian ELF64 file")


def add_segment(segments, offset, vaddr, size, align):
    """Turn the PT_NOTE row into a PT_LOAD behind the last one: the table cannot grow, and nobody reads the note."""
    note = next((i for i, s in enumerate(segments) if s[0] == PT_NOTE), None)
    if note is None:
        sys.exit("prefix_elf: no PT_NOTE to reuse")
    del segments[note]
    last = max(i for i, s in enumerate(segments) if s[0] == PT_LOAD)
    segments.insert(last + 1, [PT_LOAD, PF_R, offset, vaddr, vaddr, size, size, align])


def relink(dynamic, values):
    """New values for the tags in values; the GNU hash table, which no longer fits the names, is dropped."""
    kept = [[tag, values.get(tag, value)] for tag, value in dynamic if tag != DT_GNU_HASH]
    return kept + [[DT_NULL, 0]] * (len(dynamic) - len(kept))


def transform(image, soname, prefix):
    """Edit image in place; returns the exported names as they were."""
    check(image)
    head = EHDR.unpack_from(image)
    phoff, shoff, phnum, shnum = head[5], head[6], head[10], head[12]
    segments, sections = table(image, PHDR, phoff, phnum), table(image, SHDR, shoff, shnum)
    dynsym, dyn, sysv = (only(sections, kind) for kind in (SHT_DYNSYM, SHT_DYNAMIC, SHT_HASH))
    dynstr = sections[dynsym[6]]

    symbols = table(image, SYM, dynsym[4], dynsym[5] // SYM.size)
    strings = bytearray(image[dynstr[4]:dynstr[4] + dynstr[5]])
    old, hashed = rename(symbols, strings, prefix)
    soname_at = len(strings)
    strings += soname + b"\0"
    hashes = hash_table(hashed)

    loads = [s for s in segments if s[0] == PT_LOAD]
    align = max(s[7] for s in loads)
    vaddr = -(-max(s[3] + s[6] for s in loads) // align) * align
    offset = -(-len(image) // align) * align
    image += bytes(offset - len(image)) + hashes + strings

    sysv[3:6] = [vaddr, offset, len(hashes)]
    dynstr[3:6] = [vaddr + len(hashes), offset + len(hashes), len(strings)]
    only(sections, SHT_GNU_HASH)[1] = SHT_PROGBITS
    add_segment(segments, offset, vaddr, len(hashes) + len(strings), align)
    dynamic = relink(table(image, DYN, dyn[4], dyn[5] // DYN.size), {
        DT_HASH: vaddr, DT_STRTAB: vaddr + len(hashes), DT_STRSZ: len(strings), DT_SONAME: soname_at})

    for form, at, rows in ((SYM, dynsym[4], symbols), (DYN, dyn[4], dynamic),
                           (PHDR, phoff, segments), (SHDR, shoff, sections)):
        put_table(image, form, at, rows)
    return old


def header(names, prefix):
    """Names with a leading underscore belong to the linker or the compiler and are not for callers."""
    lines = [f"#define {n} {prefix}{n}" for n in sorted(n.decode() for n in names) if not n.startswith("_")]
    return "#pragma once\n" + "\n".join(lines) + "\n"


def main(source, target, prefix, header_path):
    with open(source, "rb") as f:
        image = bytearray(f.read())
    names = transform(image, os.path.basename(target).encode(), prefix.encode())
    with open(target, "wb") as f:
        f.write(image)
    with open(header_path, "w", encoding="ascii") as f:
        f.write(header(names, prefix))


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    main(*sys.argv[1:])
