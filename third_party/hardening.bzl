"""How the programs that are installed are linked, so that a fault in one is
harder to make use of: nobody knows their addresses, what the loader fills in is
read-only afterwards, and no stack can be executed.

Relative relocations are packed, or a program of 20 MB would spend a millisecond
on its own addresses before main(). That is the linker of binutils, not gold,
which Bazel would take and which makes no static program with such addresses."""

_COMMON = ["-fuse-ld=bfd", "-Wl,-z,relro,-z,now,-z,noexecstack"]

# The sanitizers have a layout of their own.
HARDENED = select({
    "//third_party:sanitized": [],
    "//conditions:default": _COMMON + ["-pie", "-Wl,-z,pack-relative-relocs"],
})

# The same without a loader.
HARDENED_STATIC = select({
    "//third_party:sanitized": [],
    "//conditions:default": _COMMON + ["-static-pie", "-Wl,-z,pack-relative-relocs"],
})
