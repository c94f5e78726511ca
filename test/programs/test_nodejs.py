"""node: JavaScript that is compiled while it runs, serving this machine and asking it."""

import json
import urllib.request

from room.web import HTTP_PORT

PACKAGES = ["nodejs"]
MEMORY = "1G"

PORT = 8080

SERVER = f"""\
const http = require('http');
http.createServer((request, response) => {{
    let length = 0;
    request.on('data', (bytes) => length += bytes.length);
    request.on('end', () => response.end(JSON.stringify({{path: request.url, length}})));
}}).listen({PORT});
"""

CLIENT = """\
const http = require('http');
const one = (path) => new Promise((done, failed) => http.get(process.argv[2] + path, (response) => {
    let bytes = 0;
    response.on('data', (part) => bytes += part.length).on('end', () => done(bytes));
}).on('error', failed));
Promise.all(Array.from({length: 20}, () => one('/mebibyte'))).then((sizes) => console.log(sizes.join(' ')));
"""

# Hot enough to be compiled, more than once.
LOOP = "let sum = 0; for (let i = 0; i < 2e6; i++) sum += i % 7; console.log(String(sum))"


def test_compiled_code(guest):
    assert guest.check(f"node -e '{LOOP}'", 60).strip() == "5999995"


def test_serves(guest):
    guest.write_file("/tmp/server.js", SERVER)
    process = guest.background("node /tmp/server.js")
    guest.wait_for_port(PORT, 60)
    address, port = guest.reach(PORT)
    for length in (0, 1, 300_000):
        request = urllib.request.Request(f"http://{address}:{port}/a?b", data=bytes(length), method="POST")
        with urllib.request.urlopen(request, timeout=30) as response:
            assert json.load(response) == {"path": "/a?b", "length": length}
    guest.run(f"kill {process}; wait {process}")


def test_asks_many_times_at_once(guest, web):
    web.random_file("mebibyte", 1 << 20)
    guest.write_file("/tmp/client.js", CLIENT)
    sizes = guest.check(f"node /tmp/client.js http://{guest.host}:{HTTP_PORT}", 60).split()
    assert sizes == [str(1 << 20)] * 20
