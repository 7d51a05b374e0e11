"""Asks a server what the cases of the interop suite ask, over gRPC's own Python client, and prints a line of JSON with the answers."""

import json
import sys
from concurrent.futures import ThreadPoolExecutor

import grpc

SERVICE = "/slipway.interop.Test/"
UNICODE = "\t\ntest with whitespace\r\nand Unicode BMP \u263a and non-BMP \U0001f608\t\n"


def unary(channel, name, body=b"", **options):
    """One call: its answer, or its status and message."""
    path = name if name.startswith("/") else SERVICE + name
    try:
        return channel.unary_unary(path)(body, timeout=options.pop("timeout", 20), **options)
    except grpc.RpcError as error:
        return [error.code().value[0], error.details()]


def trailers_of(channel):
    try:
        channel.unary_unary(SERVICE + "Fail")(json.dumps({"status": "ABORTED", "message": "m"}).encode(), timeout=20)
    except grpc.RpcError as error:
        return dict(error.trailing_metadata()).get("x-reason")
    return None


def cancelled(channel):
    future = channel.unary_unary(SERVICE + "Hang").future(b"")
    future.cancel()
    return future.code().value[0]


def main():
    options = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
    with grpc.insecure_channel(sys.argv[1], options=options) as channel:
        metadata = (("x-echo", "a value"), ("x-echo-bin", bytes(range(256))))
        large = unary(channel, "Sized", (314159).to_bytes(4, "big") + bytes(271824))
        with ThreadPoolExecutor(32) as pool:
            parallel = list(pool.map(lambda n: unary(channel, "Echo", str(n).encode()), range(500)))
        fail = lambda status, message: unary(
            channel, "Fail", json.dumps({"status": status, "message": message}).encode()
        )
        answers = {
            "empty": len(unary(channel, "Echo")),
            "large": len(large),
            "message": fail("UNKNOWN", UNICODE),
            "codes": [fail(code.name, "")[0] for code in grpc.StatusCode if code.value[0] > 0],
            "metadata": unary(channel, "Metadata", metadata=metadata).decode(),
            "trailers": trailers_of(channel),
            "deadline": unary(channel, "Hang", timeout=0.1)[0],
            "cancelled": cancelled(channel),
            "unknown method": unary(channel, "Nothing")[0],
            "unknown service": unary(channel, "/a.B/Nothing")[0],
            "too large": unary(channel, "Echo", bytes(2**20 + 1))[0],
            "gzip": len(unary(channel, "Echo", bytes(100000), compression=grpc.Compression.Gzip)),
            "parallel": [answer.decode() for answer in parallel] == [str(n) for n in range(500)],
            "server streams": [m.decode() for m in channel.unary_stream(SERVICE + "Stream")(b"100")]
            == [str(n) for n in range(100)],
            "client streams": channel.stream_unary(SERVICE + "Count")(iter([b"x"] * 100)).decode(),
            "both stream": [m.decode() for m in channel.stream_stream(SERVICE + "Chat")(iter([b"a", b"b", b"c"]))],
            "health": unary(channel, "/grpc.health.v1.Health/Check").hex(),
        }
    print(json.dumps(answers))


main()
