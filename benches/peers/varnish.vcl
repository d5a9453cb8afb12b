# Varnish as it comes, but that it is told which pages it never stores.
vcl 4.1;

backend origin {
    .host = "127.0.0.1";
    .port = "@origin@";
}

sub vcl_recv {
    if (req.url ~ "^/pass") {
        return (pass);
    }
}
