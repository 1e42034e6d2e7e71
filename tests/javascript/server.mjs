// An HTTP server on 127.0.0.1 that answers by a script and remembers what it was asked.

import http from "node:http";

/** Closes the connection without an answer. */
export const DROP = (_request, response) => response.destroy();

/** Never answers. */
export const HANG = () => {};

/** Sends half an answer, then closes the connection. */
export const HALF = (_request, response) => {
  response.writeHead(200, { "Content-Type": "application/json", "Content-Length": "100" });
  response.write('{"activation_id"', () => response.destroy());
};

export const json = (status, body, headers = {}) => (_request, response) => {
  response.writeHead(status, { "Content-Type": "application/json", ...headers });
  response.end(body === undefined ? undefined : JSON.stringify(body));
};

export const problem = (status, detail, headers = {}, more = {}) =>
  json(status, { type: "about:blank", title: http.STATUS_CODES[status], status, detail, ...more },
    { "Content-Type": "application/problem+json", ...headers });

export const html = (status, headers = {}) => (_request, response) => {
  response.writeHead(status, { "Content-Type": "text/html", ...headers });
  response.end("<html><h1>Bad Gateway</h1></html>");
};

export const nothing = (status, headers = {}) => (_request, response) => {
  response.writeHead(status, headers);
  response.end();
};

/**
 * Gives each request the next answer of the script; what comes after its end is answered with 418,
 * which no client repeats.
 */
export async function serve(t, script) {
  const asked = [];
  const arrivals = [];
  const server = http.createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks).toString();
    asked.push({ method: request.method, url: request.url, headers: request.headers, body });
    arrivals.splice(0).forEach((arrived) => arrived());
    (script.shift() ?? problem(418, "The script is over."))(request, response);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  const nextRequest = () => new Promise((resolve) => arrivals.push(resolve));
  return { baseUrl: `http://127.0.0.1:${server.address().port}`, asked, nextRequest };
}
