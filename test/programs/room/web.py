"""nginx on this machine: files, uploads, chunks, TLS and HTTP/2."""

import secrets

HTTP_PORT = 8080
HTTPS_PORT = 8443
NAME = "www.vitrine.test"

# user: without it nginx would give up the rights to its own folder.
CONFIGURATION = """\
daemon off;
user root;
worker_processes 1;
pid {directory}/pid;
error_log stderr;
events {{ worker_connections 256; }}
http {{
    access_log {directory}/access.log;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    client_max_body_size 256m;
    gzip on;
    gzip_types *;
    limit_rate_after 64k;
    server {{
        listen 0.0.0.0:{http};
        listen 0.0.0.0:{https} ssl http2;
        server_name {name};
        ssl_certificate {certificate};
        ssl_certificate_key {key};
        root {directory}/files;
        autoindex on;
        location /upload/ {{ alias {directory}/uploads/; dav_methods PUT DELETE; create_full_put_path on; }}
        location /slow/ {{ alias {directory}/files/; limit_rate 256k; }}
        location /moved {{ return 301 /small; }}
        location /agent {{ return 200 "$request_method $http_user_agent\\n"; }}
    }}
}}
"""


class Web:
    """`files` are served, `uploads` arrive. The log is that of requests."""

    def __init__(self, peers, authority, *addresses):
        self.directory = peers.directory("web")
        self.files, self.uploads = self.directory / "files", self.directory / "uploads"
        self.files.mkdir()
        self.uploads.mkdir()
        certificate, key = authority.sign(NAME, *addresses)
        configuration = self.directory / "nginx.conf"
        configuration.write_text(CONFIGURATION.format(
            directory=self.directory, http=HTTP_PORT, https=HTTPS_PORT, name=NAME, certificate=certificate, key=key))
        self.peer = peers.start("/usr/sbin/nginx", "-c", configuration, "-p", self.directory, "-e", "stderr",
                                port=HTTPS_PORT)
        (self.files / "small").write_text("hello from nginx\n")

    def random_file(self, name, size):
        """Serves `size` bytes of noise; returns them."""
        data = secrets.token_bytes(size)
        (self.files / name).write_bytes(data)
        return data

    def requests(self):
        return (self.directory / "access.log").read_text()
