// A Node app: plain http, a session cookie in Express's manner, and a WebSocket echo.
"use strict";
const http = require("node:http");
const { WebSocketServer } = require("ws");

const server = http.createServer((request, response) => {
  const url = new URL(request.url, "http://app");
  if (url.pathname === "/") {
    response.setHeader("Set-Cookie", ["connect.sid=s%3Aabc.def; Path=/; HttpOnly", "theme=dark; Path=/"]);
    response.setHeader("Content-Type", "text/html");
    response.end(`<!doctype html><title>Node</title><p id="state">idle</p><script>
      async function talk(count) {
        const socket = new WebSocket("wss://" + location.host + "/socket");
        socket.binaryType = "arraybuffer";
        await new Promise((ok, no) => { socket.onopen = ok; socket.onerror = () => no(new Error("no socket")); });
        const answers = [];
        for (let number = 0; number < count; number++) {
          const answer = new Promise((ok) => { socket.onmessage = (event) => ok(event.data); });
          socket.send("message " + number);
          answers.push(await answer);
        }
        const closed = new Promise((ok) => { socket.onclose = (event) => ok(event.code); });
        socket.close(1000);
        return { answers, code: await closed };
      }
    </script>`);
  } else if (url.pathname === "/echo") {
    response.setHeader("Content-Type", "application/json");
    response.end(JSON.stringify({ headers: request.headers, raw: request.rawHeaders }));
  } else if (url.pathname === "/trailers") {
    response.writeHead(200, { Trailer: "X-Digest", "Content-Type": "text/plain" });
    response.write("body");
    response.addTrailers({ "X-Digest": "sum" });
    response.end();
  } else {
    response.statusCode = 404;
    response.end();
  }
});

const sockets = new WebSocketServer({ server, path: "/socket" });
sockets.on("connection", (socket, request) => {
  socket.on("message", (data, binary) => {
    const text = data.toString();
    if (text === "headers") socket.send(JSON.stringify(request.headers));
    else socket.send(data, { binary });
  });
});

server.listen(Number(process.env.PORT), "127.0.0.1", () => console.error("listening on " + process.env.PORT));
