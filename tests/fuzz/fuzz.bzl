"""A fuzzer for a decoder, and a test that replays its corpus."""

def fuzz_test(name, srcs, deps, tags = []):
    """Defines `name`, a test that feeds all of corpus/<name> to the fuzzer.

    With --config=fuzz it is the libFuzzer program itself: see tests/fuzz/run.

    Args:
      name: of the test, and of the corpus's folder.
      srcs: the file with LLVMFuzzerTestOneInput().
      deps: what it needs.
      tags: more tags.
    """
    native.filegroup(
        name = name + "_corpus",
        srcs = native.glob(["corpus/%s/**" % name]),
    )
    native.cc_test(
        name = name,
        size = "small",
        srcs = srcs + select({
            ":fuzzing": [],
            "//conditions:default": ["replay_main.cc"],
        }),
        args = ["tests/fuzz/corpus/" + name],
        data = [name + "_corpus"],
        tags = tags,
        deps = deps + ["//third_party:absl"],
    )
