"""How the programs that are installed are linked, so that a fault in one is
harder to make use of: what the loader fills in is read-only afterwards, and no
stack can be executed. Their addresses are fixed (see .bazelrc): the linker that
is used here makes no static program without."""

# The sanitizers have a layout of their own.
HARDENED = select({
    "//third_party:sanitized": [],
    "//conditions:default": ["-Wl,-z,relro,-z,now,-z,noexecstack"],
})
