"""Turns .proto files into C++ with the system's protoc and gRPC plugin."""

def cc_berth_proto(name, srcs, deps = [], grpc = False, lite = False, visibility = ["//visibility:public"]):
    """Defines `name`: the messages of `srcs`, with service stubs if `grpc`.

    Args:
      name: the cc_library.
      srcs: .proto files of this package.
      deps: cc_berth_proto targets that `srcs` import.
      grpc: also generate the services (links gRPC).
      lite: only the lite runtime of protobuf, for small binaries.
      visibility: of the library.
    """
    outs = []
    for src in srcs:
        stem = src[:-len(".proto")]
        outs += [stem + ".pb.cc", stem + ".pb.h"]
        if grpc:
            outs += [stem + ".grpc.pb.cc", stem + ".grpc.pb.h"]
    plugin = "--grpc_out=$(GENDIR) --plugin=protoc-gen-grpc=/usr/bin/grpc_cpp_plugin " if grpc else ""
    native.filegroup(
        name = name + "_proto",
        srcs = srcs + [dep + "_proto" for dep in deps],
        visibility = visibility,
    )
    native.genrule(
        name = name + "_gen",
        srcs = srcs + [dep + "_proto" for dep in deps],
        outs = outs,
        cmd = "protoc -I. -I/usr/include --cpp_out=$(GENDIR) " + plugin +
              " ".join(["$(location %s)" % src for src in srcs]),
        message = "Generating C++ for " + native.package_name(),
    )
    native.cc_library(
        name = name,
        srcs = [out for out in outs if out.endswith(".cc")],
        hdrs = [out for out in outs if out.endswith(".h")],
        copts = ["-w"],
        visibility = visibility,
        deps = deps + (["//third_party:grpc"] if grpc else ["//third_party:protobuf_lite" if lite else "//third_party:protobuf"]),
    )
