"""How h11 reads: a line of hexadecimal digits in, the bytes of one connection; a
line of JSON out, the requests that came whole, and why there were no more."""

import json
import sys

import h11


def read(data):
    # What the other readers have no bound for, or a wider one.
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 16)
    requests = []
    try:
        connection.receive_data(data)
        connection.receive_data(b"")
        while True:
            event = connection.next_event()
            if isinstance(event, h11.Request):
                request, body = event, b""
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage):
                fields = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers]
                requests.append({
                    "method": request.method.decode("latin-1"),
                    "target": request.target.decode("latin-1"),
                    "fields": fields,
                    "body": body.hex(),
                })
                # Nothing is switched: what follows an upgrade is HTTP still.
                connection.send(h11.Response(status_code=200, headers=[("content-length", "0")]))
                connection.send(h11.EndOfMessage())
                if connection.our_state is h11.MUST_CLOSE:
                    return requests, None
                connection.start_next_cycle()
            else:
                return requests, f"h11 waits: {event}"
    except h11.ProtocolError as error:
        return requests, str(error)


for line in sys.stdin:
    requests, refused = read(bytes.fromhex(line.split()[0]))
    print(json.dumps({"requests": requests, "refused": refused}), flush=True)
