"""Sends every message of SSH in every state before a login, and says what came
back: nothing that has to do with channels may."""

import socket
import struct
import sys
import threading

import paramiko
from paramiko.message import Message

PORT = int(sys.argv[1])
# RFC 4250, section 4.1.2, and what is near; the rest is one of each range.
TYPES = [*range(1, 8), 20, 21, *range(30, 36), *range(50, 54), *range(60, 67),
         80, 81, 82, *range(90, 101), 128, 192, 255]
CHANNELS = range(90, 101)


def body(number):
    """What a message of this number has, or something like it."""
    message = Message()
    message.add_byte(bytes([number]))
    if number == 5:
        message.add_string("ssh-connection")
    elif number == 50:
        for text in ("admin+web01", "ssh-connection", "none"):
            message.add_string(text)
    elif number == 52:
        pass  # "You are in": CVE-2018-10933.
    elif number == 80:
        message.add_string("tcpip-forward")
        message.add_boolean(True)
        message.add_string("")
        message.add_int(0)
    elif number == 90:
        message.add_string("session")
        for value in (0, 1 << 20, 1 << 15):
            message.add_int(value)
    elif number == 98:
        message.add_int(0)
        message.add_string("exec")
        message.add_boolean(True)
        message.add_string("touch /tmp/berth-was-here")
    else:
        message.add_int(0)
    return message


def before_keys(number):
    """In the clear, as the first packet."""
    with socket.create_connection(("127.0.0.1", PORT), timeout=10) as peer:
        peer.sendall(b"SSH-2.0-states\r\n")
        payload = body(number).asbytes()
        padding = 8 - (len(payload) + 5) % 8 + 8
        peer.sendall(struct.pack(">IB", len(payload) + padding + 1, padding) +
                     payload + bytes(padding))
        peer.shutdown(socket.SHUT_WR)
        data = b""
        while piece := peer.recv(4096):
            data += piece
    # The banner, then packets in the clear.
    data = data[data.find(b"\n") + 1:]
    while len(data) > 5:
        size = struct.unpack(">I", data[:4])[0]
        yield data[5]
        data = data[4 + size:]


def after_keys(number, with_service):
    """Encrypted, before or after the service was asked for."""
    transport = paramiko.Transport(("127.0.0.1", PORT))
    got = []
    try:
        transport.start_client(timeout=20)
        read = transport.packetizer.read_message

        def record():
            kind, message = read()
            got.append(kind)
            return kind, message

        transport.packetizer.read_message = record
        if with_service:
            service = Message()
            service.add_byte(b"\x05")
            service.add_string("ssh-userauth")
            transport._send_message(service)
        # A channel that was never opened, a login that never was.
        for kind in (number, 90, 98):
            transport._send_message(body(kind))
        threading.Event().wait(0.05)
        transport.packetizer.read_message = read
    except (paramiko.SSHException, EOFError, OSError):
        pass
    finally:
        transport.close()
    return got


def main():
    paramiko.util.log_to_file("/dev/null")
    wrong = tried = 0
    for number in TYPES:
        for state, answers in (("before keys", before_keys(number)),
                               ("before service", after_keys(number, False)),
                               ("before login", after_keys(number, True))):
            tried += 1
            # 92: "no" to a channel is an answer that may come.
            bad = [n for n in answers if n in CHANNELS and n not in (92, 100)]
            if 52 in answers or bad:
                print(f"message {number} {state}: {bad}")
                wrong += 1
    print(f"tried={tried} wrong={wrong}")


main()
