"""What serves a session inside Python.

The holder sends packets (hook/packet.h) and then SIGURG. Python calls the
handler at once where the interpreter waits at its prompt, and there alone
without a frame: that is when runs are executed, nested in the handler, with
their own streams. The prompt goes on as if nothing had happened.
"""

import __main__
import _socket
import _thread
import atexit
import fcntl
import os
import select
import signal
import struct
import sys
import termios
import time
import types

HEADER = struct.Struct("=IIQiiQ")  # type, flags, id, status, how, ns
TEXT_MAX = 4096
DESCRIPTORS = 4
KEEP_SHELL = 1
FORCE = 1
REDRAW = 1
HOW_NORMAL, HOW_DISCARD, HOW_EXIT, HOW_FORCED = 0, 2, 6, 256
# For a holder that reads nothing.
PATIENCE_SECONDS = 10
# Out of the way of what numbers descriptors itself; the second is for a low
# `ulimit -n`.
HIGH_DESCRIPTORS = (700, 10)

original_startup = None


def duplicate(fd):
    for lowest in HIGH_DESCRIPTORS:
        try:
            return fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, lowest)
        except OSError as error:
            failure = error
    raise failure


class Channel:
    """This end of the control channel."""

    def __init__(self, fd):
        self.socket = _socket.socket(fileno=duplicate(fd))
        self.closed = False
        os.close(fd)

    def say(self, kind, id=0, status=0, how=0, ns=0, text=""):
        packet = HEADER.pack(ord(kind), 0, id, status, how, ns)
        packet += os.fsencode(text)[:TEXT_MAX]
        flags = _socket.MSG_DONTWAIT | _socket.MSG_NOSIGNAL
        try:
            try:
                self.socket.send(packet, flags)
            except BlockingIOError:
                select.select([], [self.socket.fileno()], [], PATIENCE_SECONDS)
                self.socket.send(packet, flags)
        except OSError:
            pass  # The holder is gone; the terminal will be, too.

    def take(self):
        """The next packet: type, flags, id, descriptors; None if none waits."""
        space = _socket.CMSG_SPACE(DESCRIPTORS * 4)
        flags = _socket.MSG_DONTWAIT | _socket.MSG_CMSG_CLOEXEC
        try:
            data, ancillary, _, _ = self.socket.recvmsg(
                HEADER.size + TEXT_MAX, space, flags)
        except OSError:
            return None
        self.closed = not data
        if len(data) < HEADER.size:
            return None
        fds = []
        for _, _, numbers in ancillary:
            fds += struct.unpack("=%di" % (len(numbers) // 4), numbers)
        kind, flags, id, _, _, _ = HEADER.unpack_from(data)
        return chr(kind), flags, id, fds


class Run:
    """A run that was asked for. Owns its descriptors."""

    def __init__(self, id, flags, fds):
        self.id = id
        self.flags = flags
        self.fds = fds

    def read_script(self):
        with open(self.fds.pop(0), "rb") as file:
            file.seek(0)
            return file.read()

    def close(self):
        while self.fds:
            os.close(self.fds.pop())


class Streams:
    """Puts a run's streams in place of the terminal, and back."""

    def __init__(self, run):
        flush()
        self.saved = [duplicate(fd) for fd in range(3)]
        self.modes = Streams.take_modes()
        for target in range(3):
            os.dup2(run.fds[target], target)
        run.close()
        # What it has read ahead of one run is not another's.
        self.stdin = sys.stdin
        self.own_stdin = sys.stdin = open(
            0, encoding=getattr(self.stdin, "encoding", None),
            errors=getattr(self.stdin, "errors", None), closefd=False)

    @staticmethod
    def take_modes():
        """Commands get the terminal as they expect it, and not as readline."""
        try:
            modes = termios.tcgetattr(0)
            termios.tcsetattr(0, termios.TCSANOW, cooked_modes)
            return modes
        except (termios.error, TypeError):
            return None

    def restore(self):
        flush()
        if sys.stdin is self.own_stdin:
            sys.stdin = self.stdin
        for target, fd in enumerate(self.saved):
            os.dup2(fd, target)
            os.close(fd)
        if self.modes is not None:
            try:
                termios.tcsetattr(0, termios.TCSANOW, self.modes)
            except termios.error:
                pass


def flush():
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:
            pass  # It may be closed, or its reader gone, or anything at all.


# ---- Executing ----


class Execution:
    """One run while it is executed."""

    def __init__(self, id):
        self.id = id
        self.active = False  # May be interrupted.
        self.forced = False

    def execute(self, script):
        """Returns status and how."""
        trace = sys.gettrace()
        try:
            try:
                code = compile(script, "<run>", "exec", dont_inherit=True)
                self.active = True
                exec(code, __main__.__dict__)
            finally:
                self.active = False
                sys.settrace(trace)
            return 0, HOW_NORMAL
        except SystemExit as error:
            return exit_status(error.code), HOW_EXIT
        except KeyboardInterrupt as error:
            show(error)
            return 128 + signal.SIGINT, HOW_DISCARD
        except BaseException as error:
            show(error)
            return 1, HOW_NORMAL

    def interrupt(self, force, frame):
        if not self.active:
            return
        if force:
            self.forced = True
            self.trace(frame)
        raise KeyboardInterrupt

    def trace(self, frame):
        """What catches the interrupt is interrupted too, at its next line."""
        def raise_again(frame, event, argument):
            if self.active and event == "line":
                raise KeyboardInterrupt
            return raise_again
        sys.settrace(raise_again)
        while frame is not None and frame.f_globals is not globals():
            frame.f_trace = raise_again
            frame = frame.f_back


def exit_status(code):
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 255
    try:
        print(code, file=sys.stderr)
    except Exception:
        pass
    return 1


def is_ours(traceback):
    return traceback.tb_frame.f_globals is globals()


def show(error):
    """As Python itself does, without the frames that are ours: those that
    called the run, and those that interrupted it."""
    traceback = error.__traceback__
    while traceback and is_ours(traceback):
        traceback = traceback.tb_next
    last = traceback
    while last and last.tb_next and not is_ours(last.tb_next):
        last = last.tb_next
    if last:
        last.tb_next = None
    error.__traceback__ = traceback
    sys.last_type, sys.last_value = type(error), error
    sys.last_traceback = traceback
    try:
        sys.excepthook(type(error), error, traceback)
    except Exception:
        pass


def execute(run):
    """Executes a run, whose `done` comes after its last write."""
    global execution
    try:
        script = run.read_script()
        streams = Streams(run)
    except OSError as error:
        run.close()
        return channel.say("X", run.id, text="it can't be executed: %s" % error)
    execution = Execution(run.id)
    channel.say("S", run.id)
    begun = time.monotonic_ns()
    status, how = execution.execute(script)
    ns = time.monotonic_ns() - begun
    if execution.forced:
        how |= HOW_FORCED
    execution = None
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        streams.restore()
        adopt_prompt()
        channel.say("D", run.id, status, how, ns, directory())
        await_acknowledgement(run.id)
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
    if how == HOW_EXIT and not run.flags & KEEP_SHELL:
        leave(status)


def await_acknowledgement(id):
    """Until the holder knows of the end. What it sends later might be seen
    only at the next key."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while acknowledged != id and not channel.closed:
        left = deadline - time.monotonic()
        if left <= 0:
            return
        select.select([channel.socket.fileno()], [], [], left)
        pull(None)


def leave(status):
    """Ends Python: what is raised at the prompt may be taken for something
    else there."""
    threading = sys.modules.get("threading")
    try:
        if threading is not None:
            threading._shutdown()
        atexit._run_exitfuncs()
    finally:
        flush()
        os._exit(status & 255)


def directory():
    try:
        return os.getcwd()
    except OSError:
        return ""


# ---- At the prompt ----


def in_session():
    """Not in a child, nor in another thread."""
    return os.getpid() == pid and _thread.get_ident() == thread


def pull(frame):
    """Takes in what the holder says. May raise what ends a run."""
    global acknowledged
    while True:
        packet = channel.take()
        if packet is None:
            return
        kind, flags, id, fds = packet
        if kind == "R" and len(fds) == DESCRIPTORS:
            waiting.append(Run(id, flags, fds))
            continue
        for fd in fds:
            os.close(fd)
        if kind == "R":
            channel.say("X", id, text="it is at its limit of open files")
        elif kind == "C":
            withdraw(id)
        elif kind == "I" and execution is not None and execution.id == id:
            execution.interrupt(flags & FORCE, frame)
        elif kind == "A":
            acknowledged = id
            if flags & REDRAW:
                redraw()


def withdraw(id):
    for run in waiting:
        if run.id == id:
            waiting.remove(run)
            run.close()
            return channel.say("W", id)


def redraw():
    """The user's line, below what was written over it."""
    readline = sys.modules.get("readline")
    line = readline.get_line_buffer() if readline else ""
    prompt = str.replace(str(sys.ps1), "\001", "").replace("\002", "")
    os.write(1, ("\n" + prompt + line).encode("utf-8", "replace"))


def serve():
    while waiting:
        execute(waiting.pop(0))


def on_signal(number, frame):
    if not in_session():
        return
    pull(frame)
    if execution is None and (frame is None or frame.f_code in prompt_codes):
        serve()


def on_prompt(frame):
    """Python is about to print its prompt, unless somebody else wants it."""
    global at_prompt, basic_repl
    if frame.f_back is not None or execution is not None or not in_session():
        return
    if basic_repl:
        basic_repl = False
        os.environ.pop("PYTHON_BASIC_REPL", None)
    if not at_prompt:
        at_prompt = True
        channel.say("P", text=directory())
    pull(frame)
    serve()


def on_audit(event, arguments):
    """A line was typed and is about to be executed."""
    global at_prompt
    if event != "exec" or not at_prompt or execution is not None:
        return
    if in_session() and sys._getframe().f_back is None:
        at_prompt = False
        channel.say("B")


class TextPrompt(str):
    def __str__(self):
        on_prompt(sys._getframe())
        return str.__str__(self)


class ObjectPrompt:
    def __init__(self, prompt):
        self.prompt = prompt

    def __str__(self):
        on_prompt(sys._getframe())
        return str(self.prompt)


prompt_codes = (TextPrompt.__str__.__code__, ObjectPrompt.__str__.__code__)


def watched_prompt(prompt):
    if isinstance(prompt, (TextPrompt, ObjectPrompt)):
        return prompt
    return (TextPrompt if isinstance(prompt, str) else ObjectPrompt)(prompt)


def adopt_prompt():
    """Where it was set past the module, as by exec in its namespace."""
    space = sys.__dict__
    space["ps1"] = watched_prompt(space.get("ps1", ">>> "))


class WatchedSys(types.ModuleType):
    """Lets the user set another prompt, which is watched too."""

    def __setattr__(self, name, value):
        if name == "ps1":
            value = watched_prompt(value)
        super().__setattr__(name, value)


# ---- Start ----


def restore_environment():
    """As the user has set it."""
    global original_startup, basic_repl
    os.environ.pop("PYTHONSTARTUP", None)
    original_startup = os.environ.pop("BERTH_PYTHONSTARTUP", None)
    if original_startup is not None:
        os.environ["PYTHONSTARTUP"] = original_startup
    basic_repl = os.environ.pop("BERTH_BASIC_REPL", None) is None


def run_startup():
    """The file that Python would have executed."""
    if not original_startup:
        return
    try:
        with open(original_startup, "rb") as file:
            code = compile(file.read(), original_startup, "exec",
                           dont_inherit=True)
        exec(code, __main__.__dict__)
    except SystemExit:
        raise
    except BaseException as error:
        show(error)


def start(fd):
    """Returns what is to be called in __main__ last of all."""
    global channel, pid, thread, waiting, execution, acknowledged
    global at_prompt, cooked_modes
    pid = os.getpid()
    thread = _thread.get_ident()
    waiting = []
    execution = None
    acknowledged = 0
    at_prompt = False
    cooked_modes = termios.tcgetattr(0)
    channel = Channel(fd)
    restore_environment()
    signal.signal(signal.SIGURG, on_signal)
    sys.addaudithook(on_audit)
    sys.__class__ = WatchedSys
    adopt_prompt()
    channel.say("H", status=pid)
    return run_startup
