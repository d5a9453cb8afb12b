"""What a WSGI application is told of a request's fields."""


def fields(environ):
    for key, value in environ.items():
        if key.startswith("HTTP_"):
            key = key[len("HTTP_"):]
        elif key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            continue
        yield key.lower().replace("_", "-"), value
