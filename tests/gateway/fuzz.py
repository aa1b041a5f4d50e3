"""Sends bytes that no client would: before the login mutations of what clients
begin with, after it mutations of their messages, over real encryption. Prints
how much was tried, and with which seed it can be had again.

fuzz.py PORT KEY SECONDS SEED"""

import os
import random
import socket
import struct
import sys
import time

import paramiko
from paramiko.message import Message

PORT, KEY, SECONDS, SEED = (int(sys.argv[1]), sys.argv[2],
                            float(sys.argv[3]), int(sys.argv[4]))
rng = random.Random(SEED)
INTERESTING = [0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0x80000000,
               0xfffffffe, 0xffffffff]


def mutate(data):
    """Some of: bytes flipped, numbers replaced, parts cut, doubled, swapped."""
    data = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        if not data:
            break
        at = rng.randrange(len(data))
        kind = rng.randrange(6)
        if kind == 0:
            data[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            data[at] = rng.randrange(256)
        elif kind == 2 and len(data) >= 4:
            at = rng.randrange(len(data) - 3)
            data[at:at + 4] = struct.pack(">I", rng.choice(INTERESTING))
        elif kind == 3:
            del data[at:at + rng.randint(1, 64)]
        elif kind == 4:
            part = data[at:at + rng.randint(1, 64)]
            data[at:at] = part * rng.randint(1, 8)
        else:
            data[at:at] = rng.randbytes(rng.randint(1, 200))
    return bytes(data)


def connect():
    peer = socket.create_connection(("127.0.0.1", PORT), timeout=20)
    peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return peer


def record_beginning():
    """What a real client sends before encryption begins."""
    sent = bytearray()

    class Tap:
        """A socket that keeps what is written to it."""

        def __init__(self):
            self.peer = connect()

        def send(self, data):
            count = self.peer.send(data)
            sent.extend(data[:count])
            return count

        def __getattr__(self, name):
            return getattr(self.peer, name)

    transport = paramiko.Transport(Tap())
    transport.start_client(timeout=20)
    transport.close()
    return bytes(sent[:2500])


def stranger(beginning):
    """A connection of mutated bytes, whole or in pieces, closed or left."""
    with connect() as peer:
        data = mutate(beginning)
        if rng.random() < 0.2:
            data = rng.randbytes(rng.randint(1, 5000))
        try:
            for at in range(0, len(data), 700):
                peer.sendall(data[at:at + 700])
            if rng.random() < 0.5:
                peer.shutdown(socket.SHUT_WR)
                peer.settimeout(0.2)
                while peer.recv(65536):
                    pass
        except OSError:
            pass


def text(value):
    return struct.pack(">I", len(value)) + value


def requests(channel):
    """Channel requests as clients send them, by number of the channel."""
    head = b"\x62" + struct.pack(">I", channel)
    env = [b"LANG", b"C.UTF-8"]
    return [
        head + text(b"pty-req") + b"\x01" + text(b"xterm") +
        struct.pack(">IIII", 80, 24, 0, 0) + text(b"\x01\x00\x00\x00\x03\x00"),
        head + text(b"env") + b"\x01" + text(env[0]) + text(env[1]),
        head + text(b"exec") + b"\x01" + text(b"cat"),
        head + text(b"shell") + b"\x01",
        head + text(b"subsystem") + b"\x01" + text(b"sftp"),
        head + text(b"window-change") + b"\x00" +
        struct.pack(">IIII", 200, 50, 0, 0),
        head + text(b"signal") + b"\x00" + text(b"INT"),
        head + text(b"x11-req") + b"\x01\x00" + text(b"a") + text(b"b") +
        struct.pack(">I", 0),
        b"\x5e" + struct.pack(">I", channel) + text(b"some input\n"),
        b"\x5d" + struct.pack(">II", channel, 1 << 20),
        b"\x60" + struct.pack(">I", channel),
        b"\x61" + struct.pack(">I", channel),
    ]


OTHERS = [
    b"\x5a" + text(b"session") + struct.pack(">III", 0, 1 << 21, 1 << 15),
    b"\x5a" + text(b"direct-tcpip") + struct.pack(">III", 1, 1 << 21, 1 << 15) +
    text(b"localhost") + struct.pack(">I", 22) + text(b"127.0.0.1") +
    struct.pack(">I", 4000),
    b"\x50" + text(b"tcpip-forward") + b"\x01" + text(b"") +
    struct.pack(">I", 8080),
    b"\x50" + text(b"keepalive@openssh.com") + b"\x01",
    b"\x14" + os.urandom(16) + text(b"curve25519-sha256") * 10 + bytes(5),
    b"\x01" + struct.pack(">I", 11) + text(b"bye") + text(b""),
    b"\x02" + text(b"nothing"),
    b"\x03" + struct.pack(">I", 7),
    b"\x32" + text(b"admin") + text(b"ssh-connection") + text(b"none"),
]


def guest(key):
    """A login, then mutated messages."""
    transport = paramiko.Transport(connect())
    sent = 0
    try:
        transport.start_client(timeout=20)
        user = rng.choice(["admin+web01", "admin", "admin+web01/fuzz"])
        transport.auth_publickey(user, key)
        channel = transport.open_session(timeout=20)
        for _ in range(rng.randint(1, 12)):
            number = rng.choice([channel.remote_chanid, 0, 1, 7])
            message = rng.choice(requests(number) + OTHERS)
            if rng.random() < 0.8:
                message = message[:1] + mutate(message[1:])
            wire = Message()
            wire.add_bytes(message)
            # Without the client's own rules about what may be sent when.
            transport.packetizer.send_message(wire)
            sent += 1
        time.sleep(rng.random() * 0.05)
    except (paramiko.SSHException, OSError, EOFError):
        pass
    finally:
        transport.close()
    return sent


def main():
    paramiko.util.get_logger("paramiko").disabled = True
    key = paramiko.Ed25519Key.from_private_key_file(KEY)
    beginning = record_beginning()
    end = time.monotonic() + SECONDS
    connections = messages = 0
    while time.monotonic() < end:
        for _ in range(4):
            stranger(beginning)
        messages += guest(key)
        connections += 5
    print(f"seed={SEED} connections={connections} messages={messages}")
    assert messages > 0


main()
