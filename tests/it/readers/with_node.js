// How Node's server reads: a line of hexadecimal digits in, the bytes of one
// connection, and "closes" if the server is to close it; a line of JSON out, the
// requests that came whole, and why there were no more.
"use strict";

const http = require("node:http");
const net = require("node:net");
const readline = require("node:readline");

let requests, refused;

function whole(request, body) {
  const fields = [];
  for (let at = 0; at < request.rawHeaders.length; at += 2) {
    fields.push([request.rawHeaders[at].toLowerCase(), request.rawHeaders[at + 1]]);
  }
  requests.push({ method: request.method, target: request.url, fields, body: Buffer.concat(body).toString("hex") });
}

// No time-outs: whoever asks has one.
const options = { maxHeaderSize: 1 << 16, requestTimeout: 0, headersTimeout: 0, keepAliveTimeout: 0 };
const server = http.createServer(options, (request, response) => {
  const body = [];
  request.on("data", (piece) => body.push(piece));
  request.on("error", () => {});
  request.on("end", () => {
    whole(request, body);
    response.end();
  });
});
// As an application with WebSockets has it: whatever follows is not HTTP any more.
server.on("upgrade", (request, socket) => {
  whole(request, []);
  socket.end("HTTP/1.1 400 Bad Request\r\n\r\n");
});
server.on("clientError", (error, socket) => {
  refused = `${error.code}: ${error.message}`;
  socket.end("HTTP/1.1 400 Bad Request\r\n\r\n");
});

function read(line) {
  [requests, refused] = [[], null];
  const [digits, end] = line.split(" ");
  return new Promise((done) => {
    const client = net.connect(server.address().port, "127.0.0.1", () => {
      client.write(Buffer.from(digits, "hex"));
      if (end !== "closes") client.end();
    });
    client.on("error", () => {});
    client.on("close", () => done({ requests, refused }));
    client.resume();
  });
}

server.listen(0, "127.0.0.1", async () => {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    process.stdout.write(JSON.stringify(await read(line)) + "\n");
  }
  process.exit();
});
