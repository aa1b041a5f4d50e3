# Executed by Python in place of the user's PYTHONSTARTUP, in __main__; leaves
# nothing there. Any Python can read it, so that one that is too old can be
# told so.
def _berth_start():
    import os
    import struct
    import sys

    def refuse(why):
        header = struct.pack("=IIQiiQ", ord("F"), 0, 0, 0, 0, 0)
        os.write(3, header + why.encode("utf-8", "replace")[:1000])

    os.close(4)
    with os.fdopen(5, "rb") as file:
        source = file.read()
    if sys.version_info < (3, 8):
        version = sys.version.split()[0]
        return refuse("it is Python %s; sessions need 3.8 or newer" % version)
    try:
        space = {"__name__": "berth"}
        exec(compile(source, "<berth>", "exec"), space)
        startup = space["start"](3)
    except Exception as error:
        return refuse("its session can't be served: %r" % error)
    return startup


_berth_start = _berth_start()
if _berth_start:
    _berth_start()
del _berth_start
