"""The origin of all proxies: answers as the path says.

/NAME/MILLIS/store   1 KiB after so long, fresh for 2 s
/NAME/MILLIS/keep    the same, and may be served stale for a minute if it fails
/NAME/MILLIS/pass    1 KiB after so long, not storable
/NAME/MILLIS/stream  half of 16 KiB at once, the other half after so long
/NAME/MIB/large      so many MiB, not storable
/NAME/0/endless      storable, and without end
/count/PATH          how often a path was asked for, by any method
/ended/PATH          when its connection ended (CLOCK_MONOTONIC), 0 if it has not
"""

import asyncio
import sys
import time

PIECE = b"x" * 65536
LIFETIME = {
    "store": "max-age=2",
    "keep": "max-age=2, stale-if-error=60",
    "stream": "max-age=60",
    "endless": "max-age=60",
}


class Connection(asyncio.Protocol):
    """One request at a time; bodies of requests are small and come with their head."""

    counts = {}
    ended = {}

    def connection_made(self, transport):
        self.transport, self.heard, self.room = transport, b"", asyncio.Event()
        self.endless = None
        self.room.set()

    def connection_lost(self, _):
        self.room.set()
        if self.endless:
            self.ended[self.endless] = time.monotonic()

    def pause_writing(self):
        self.room.clear()

    def resume_writing(self):
        self.room.set()

    def data_received(self, data):
        self.heard += data
        if b"\r\n\r\n" in self.heard:
            line, self.heard = self.heard.split(b"\r\n", 1)[0], b""
            self.answer(line.split()[1].decode())

    def answer(self, path):
        if path.startswith("/count/"):
            return self.send("no-store", str(self.counts.get(path[6:], 0)).encode())
        if path.startswith("/ended/"):
            return self.send("no-store", str(self.ended.get(path[6:], 0)).encode())
        self.counts[path] = self.counts.get(path, 0) + 1
        _, _, number, kind = path.split("/")
        control, loop = LIFETIME.get(kind, "no-store"), asyncio.get_running_loop()
        if kind == "stream":
            self.head(control, f"Content-Length: {16384}", PIECE[:8192])
            loop.call_later(int(number) / 1000, self.transport.write, PIECE[:8192])
        elif kind == "large":
            self.task = loop.create_task(self.pour(control, int(number) << 20))
        elif kind == "endless":
            self.endless = path
            self.task = loop.create_task(self.flow(control))
        else:
            loop.call_later(int(number) / 1000, self.send, control, PIECE[:1024])

    def send(self, control, body):
        self.head(control, f"Content-Length: {len(body)}", body)

    def head(self, control, framing, body=b""):
        head = f"HTTP/1.1 200 OK\r\nCache-Control: {control}\r\n{framing}\r\n\r\n"
        self.transport.write(head.encode() + body)

    async def pour(self, control, left):
        self.head(control, f"Content-Length: {left}")
        while left > 0 and not self.transport.is_closing():
            self.transport.write(PIECE[:left])
            left -= len(PIECE)
            await self.room.wait()

    async def flow(self, control):
        self.head(control, "Transfer-Encoding: chunked")
        while not self.transport.is_closing():
            self.transport.write(b"400\r\n" + PIECE[:1024] + b"\r\n")
            await asyncio.sleep(0.01)


async def main(port):
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Connection, "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
